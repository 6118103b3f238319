import { ReplicationError } from '../errors.ts';
import type { MountRef } from '../replicate/ref.ts';
import type { Sensitive } from '../sensitive.ts';
import { at, json } from './answer.ts';
import { createBelieved } from './believed.ts';
import type { Call, VaultClient } from './client.ts';
import { createStandingOf, deadToken } from './standing.ts';
import type { TokenReader } from './token.ts';
import { type Answer, AnswerTooLarge } from './transport.ts';

/** Requests as the source needs them: with the token in use, and failures in the corridor's words. */
export interface Reader {
  /**
   * GETs from the active node where the server lets a client choose. A 403 is answered only where Vault takes the token,
   * so that its policy lacks something; a dead token is replaced where that is possible, else source_unavailable.
   */
  get(namespace: string, path: string, what: string, maxBytes?: number): Promise<Answer>;
  /** One request about this token, as this token and no other. */
  as(method: 'GET' | 'POST', path: string, token: Sensitive<string>): Promise<Answer>;
  /** Throws source_unavailable unless Vault takes the token. */
  checkToken(): Promise<void>;
}

export interface AskOptions {
  /** Where the token was issued. */
  readonly namespace?: string;
  /** Mounts that a token that is alive may use. */
  readonly mounts?: readonly MountRef[];
  /** For so long, in ms, a token that was found to stand is not looked up at another refusal. */
  readonly believedFor?: number;
}

/** Whatever is asked through it, `pace` is awaited first. */
export const paced = (client: Asking, pace: () => Promise<void>): Asking => ({
  request: async (call) => {
    await pace();
    return client.request(call);
  },
});

type Asking = Pick<VaultClient, 'request'>;

export function createAsk(client: Asking, tokens: TokenReader, options: AskOptions = {}): Reader {
  const { namespace: home = '', mounts = [], believedFor = 0 } = options;
  const attempt = activeNodeFirst(client);
  const send = (call: Call, what: string): Promise<Answer> => attempt(call).catch(unavailable(what));
  const standingOf = createStandingOf(
    (namespace, path, token) => send({ method: 'GET', namespace, path, token }, 'its token'),
    { home, mounts },
  );
  const verdict = async (used: Sensitive<string>) => {
    const standing = await standingOf(used);
    return { standing, changed: await tokens.refresh(used, standing) };
  };
  const judged = createBelieved(verdict, believedFor, () => performance.now());
  // A refusal counts when it comes twice: a token may have been changed, or not yet be known to the node that answered.
  const get = async (call: Omit<Call, 'token'>, what: string, again: boolean): Promise<Answer> => {
    const used = await tokens.current();
    const answer = await send({ ...call, token: used }, what);
    if (answer.status !== 403) return answer;
    const { standing, changed, believed } = await judged(used);
    if (again && (changed || (standing === 'stands' && !believed))) return get(call, what, false);
    if (standing === 'stands' && !changed) return answer;
    throw changed ? changedMeanwhile(what) : deadToken();
  };
  return {
    get: (namespace, path, what, maxBytes) =>
      get({ method: 'GET', namespace, path, ...(maxBytes !== undefined && { maxBytes }) }, what, true),
    as: (method, path, token) => client.request({ method, path, token, namespace: home }),
    checkToken: async () => {
      const used = await tokens.current();
      const { standing, changed } = await verdict(used);
      if (standing === 'stands') return;
      if (!changed || (await standingOf(await tokens.current())) === 'dead') throw deadToken();
    },
  };
}

/** What a 403 of {@link Reader.get} means: a policy that lacks `policy`. */
export function forbidden(namespace: string, what: string, policy: string): ReplicationError {
  const where = namespace === '' ? '' : ' (as seen from the root namespace)';
  return new ReplicationError(
    'source_forbidden',
    `Vault forbids reading ${what}; the token's policy needs ${policy}${where}`,
  );
}

/** The policy's line that lacks, as it is written in the root namespace. */
export function policyLine({ namespace, mount }: MountRef, below: string, capability: string): string {
  const path = [...(namespace === '' ? [] : [namespace]), mount, below].join('/');
  return `path ${JSON.stringify(path)} { capabilities = ["${capability}"] }`;
}

const changedMeanwhile = (what: string): ReplicationError =>
  new ReplicationError('source_unavailable', `the Vault token was changed while ${what} was read; it is asked again`);

/**
 * Standbys may answer reads with what was, so each read asks for the active node. Vault refuses the header with a 400
 * unless `allow_forwarding_via_header` is on (Community never lets it be), so after one refusal it is left out; OpenBao
 * ignores it.
 */
function activeNodeFirst(client: Asking): (call: Call) => Promise<Answer> {
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
