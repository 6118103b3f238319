import { ReplicationError } from '../errors.ts';
import { Sensitive } from '../sensitive.ts';
import { at, json } from './answer.ts';
import { reasonOf } from './ask.ts';
import type { VaultClient } from './client.ts';
import type { LogIn, Login } from './login.ts';
import type { LoginMethod } from './login-methods.ts';
import type { Answer } from './transport.ts';

/** Logs in by posting the method's proof. No word of Vault's answer is repeated, since it may quote what was posted. */
export function createLogIn(client: Pick<VaultClient, 'request'>, method: LoginMethod, namespace: string): LogIn {
  const below = `auth/${method.mount}/login`;
  const where = namespace === '' ? below : `${below} of the namespace ${namespace}`;
  const path = `/${below.split('/').map(encodeURIComponent).join('/')}`;
  return async () => {
    const { body, hint } = await method.proof();
    const call = { method: 'POST', path, namespace, body: new Sensitive(JSON.stringify(body)) } as const;
    const answer = await client.request(call).catch((error: unknown) => {
      throw failure(`Vault gave no answer to the login at ${where}: ${reasonOf(error)}; it is tried again`);
    });
    if (answer.status !== 200) throw failure(refusal(answer.status, where, hint));
    return loginOf(answer) ?? fail(`Vault answered the login at ${where} without a token; see whether it asks for MFA`);
  };
}

const failure = (text: string): ReplicationError => new ReplicationError('source_unavailable', text);

function fail(text: string): never {
  throw failure(text);
}

function refusal(status: number, where: string, hint: string): string {
  if (status === 404) return `Vault has nothing at ${where}; enable the auth method, or set vault.auth.mount`;
  if (status === 400 || status === 401 || status === 403) {
    return `Vault refused the login at ${where} (${status}): ${hint}; or no auth method of that kind is there`;
  }
  return `Vault answered ${status} to the login at ${where}; is it sealed or starting, or does it not reach what it asks about us?`;
}

function loginOf(answer: Answer): Login | undefined {
  const auth = at(json(answer), 'auth');
  const token = at(auth, 'client_token');
  const ttl = at(auth, 'lease_duration');
  if (typeof token !== 'string' || token === '' || typeof ttl !== 'number') return undefined;
  const renewable = at(auth, 'renewable') === true;
  return { token: new Sensitive(token), ttl: ttl === 0 ? undefined : ttl, renewable };
}
