import { ReplicationError } from '../errors.ts';
import type { Sensitive } from '../sensitive.ts';
import { at, json } from './answer.ts';
import type { Call, VaultClient } from './client.ts';
import type { TokenReader } from './token.ts';
import { type Answer, AnswerTooLarge } from './transport.ts';

/** Requests as the source needs them: with the token in use, and failures in the corridor's words. */
export interface Reader {
  /** GETs from the active node where the server lets a client choose; after a 403 once more if the file has another token. */
  get(namespace: string, path: string, what: string, maxBytes?: number): Promise<Answer>;
  /** One request as this token and no other. */
  as(method: 'GET' | 'POST', path: string, token: Sensitive<string>): Promise<Answer>;
  /** Throws source_unavailable unless Vault takes the token. */
  checkToken(): Promise<void>;
  /** The error that a 403 for `what` means: a dead token (retryable), or a policy that lacks `policy` (permanent). */
  refusal(namespace: string, what: string, policy: string): Promise<ReplicationError>;
}

const LOOKUP = '/auth/token/lookup-self';

export function createAsk(client: VaultClient, tokens: TokenReader): Reader {
  const attempt = activeNodeFirst(client);
  const send = async (call: Omit<Call, 'token'>, what: string): Promise<Answer> => {
    const used = await tokens.current();
    const answer = await attempt({ ...call, token: used }).catch(unavailable(what));
    if (answer.status !== 403 || !(await tokens.refresh(used))) return answer;
    return attempt({ ...call, token: await tokens.current() }).catch(unavailable(what));
  };
  const get: Reader['get'] = (namespace, path, what, maxBytes) =>
    send({ method: 'GET', namespace, path, ...(maxBytes === undefined ? {} : { maxBytes }) }, what);
  const lookUp = (): Promise<Answer> => get('', LOOKUP, 'its token');
  return {
    get,
    as: (method, path, token) => client.request({ method, path, token, namespace: '' }),
    checkToken: async () => {
      const answer = await lookUp();
      if (answer.status !== 200) throw tokenFailure(answer);
    },
    refusal: async (namespace, what, policy) => {
      const answer = await lookUp();
      if (answer.status !== 200) return tokenFailure(answer);
      const where = namespace === '' ? '' : ' (as seen from the root namespace)';
      return new ReplicationError(
        'source_forbidden',
        `Vault forbids reading ${what}; the token's policy needs ${policy}${where}`,
      );
    },
  };
}

const tokenFailure = ({ status }: Answer): ReplicationError =>
  new ReplicationError(
    'source_unavailable',
    status === 403
      ? 'the Vault token is no longer valid (lookup-self answered 403); put a new one in its place'
      : `Vault answered ${status} when asked about its token; is it sealed or starting?`,
  );

/**
 * Standbys may answer reads with what was, so each read asks for the active node. Vault refuses the header with a 400
 * unless `allow_forwarding_via_header` is on (Community never lets it be), so after one refusal it is left out; OpenBao
 * ignores it.
 */
function activeNodeFirst(client: VaultClient): (call: Call) => Promise<Answer> {
  let offered = true;
  return async (call) => {
    if (!offered) return client.request(call);
    const answer = await client.request({ ...call, headers: { 'X-Vault-Forward': 'active-node' } });
    if (!isForwardingRefused(answer)) return answer;
    offered = false;
    return client.request(call);
  };
}

function isForwardingRefused(answer: Answer): boolean {
  if (answer.status !== 400) return false;
  const errors = at(json(answer), 'errors');
  return Array.isArray(errors) && errors.some((error) => String(error).includes('forwarding via header'));
}

/**
 * Why there was no answer: an error code, the time limit, the size. The cause is not kept, since what Node throws at an
 * answer that it cannot parse carries the bytes it was parsing.
 */
function unavailable(what: string): (error: unknown) => never {
  return (error) => {
    const reason = reasonOf(error);
    if (error instanceof AnswerTooLarge) {
      throw new ReplicationError('value_too_large', `Vault gave ${reason} for ${what}; no destination takes so much`);
    }
    throw new ReplicationError('source_unavailable', `Vault gave no answer for ${what}: ${reason}; it is asked again`);
  };
}

/** The code and the message of a failure of the network; several addresses that all failed have a code alone. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error ? String(error.code) : '';
  return [...new Set([code, error.message])].filter((part) => part !== '').join(', ');
}
