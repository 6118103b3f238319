import { until } from './until.ts';

/** An answer of OpenBao's: `text` exactly as sent, `body` parsed (undefined when empty or no JSON). */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: unknown;
}

export interface Credentials {
  readonly namespace?: string;
  /** The root token unless told. */
  readonly token?: string;
}

/** `body`: an object to serialise, or JSON text that is sent as it is (numbers keep their spelling). */
export type Request = (method: string, path: string, body?: unknown, as?: Credentials) => Promise<Answer>;

/** What tests and demo ask of OpenBao most. Each throws when OpenBao refuses. */
export interface OpenBaoApi {
  /** Never throws for a status: denied and failed requests are answers too. `path` is below /v1/, encoded by the caller. */
  readonly request: Request;
  /** Mounts KV; makes the namespace first where it is missing. */
  createKv(mount: string, version: 1 | 2, namespace?: string): Promise<void>;
  /** Writes a KV v2 secret; `data` as `body` of Request. */
  put(mount: string, path: string, data: unknown, namespace?: string): Promise<Written>;
  /** A token that has this policy and the default one. */
  tokenFor(policyHcl: string, namespace?: string): Promise<string>;
  /**
   * Makes a token with an id of our own, unless OpenBao knows one. Where somebody asks with the id already, a look-up that
   * is under way while the token is made may leave OpenBao with the memory that there is none, for as long as it runs:
   * then this is called until that somebody is let in.
   */
  makeToken(id: string, policy: string): Promise<void>;
}

export interface Written {
  readonly version: number;
  readonly created_time: string;
}

/** Escapes each segment of a path, keeping its slashes. */
export const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

export function openBaoApi(address: string, rootToken: () => string): OpenBaoApi {
  const request: Request = (method, path, body, { namespace = '', token = rootToken() } = {}) =>
    send(`${address}/v1/${path}`, method, body, { 'x-vault-token': token, 'x-vault-namespace': namespace });
  const demand: Request = async (method, path, body, as) =>
    accepted(await request(method, path, body, as), method, path);
  return {
    request,
    createKv: async (mount, version, namespace = '') => {
      if (namespace !== '') await createNamespace(request, demand, namespace);
      const body = { type: 'kv', options: { version: String(version) } };
      await demand('POST', `sys/mounts/${encodePath(mount)}`, body, { namespace });
      // A new KV v2 mount says 400 to everything for a moment, the longer the slower its storage is.
      const isReady = async () =>
        version === 1 || (await request('GET', `${encodePath(mount)}/config`, undefined, { namespace })).status !== 400;
      await until(isReady, { what: `the mount ${mount} to be ready` });
    },
    put: async (mount, path, data, namespace = '') => {
      const body = `{"data":${typeof data === 'string' ? data : JSON.stringify(data)}}`;
      const url = `${encodePath(mount)}/data/${encodePath(path)}`;
      return ((await demand('POST', url, body, { namespace })).body as { data: Written }).data;
    },
    tokenFor: async (policy, namespace = '') => {
      const name = `policy-${Math.random().toString(36).slice(2)}`;
      await demand('PUT', `sys/policies/acl/${name}`, { policy }, { namespace });
      const made = await demand('POST', 'auth/token/create', { policies: [name] }, { namespace });
      return (made.body as { auth: { client_token: string } }).auth.client_token;
    },
    makeToken: async (id, policy) => {
      const { status } = await request('GET', 'auth/token/lookup-self', undefined, { token: id });
      if (status !== 200) await demand('POST', 'auth/token/create', { id, policies: [policy], period: '1h' });
    },
  };
}

/** Namespaces nest: each is made from within the one above it. */
async function createNamespace(request: Request, demand: Request, path: string): Promise<void> {
  const end = path.lastIndexOf('/');
  const namespace = path.slice(0, Math.max(end, 0));
  if (namespace !== '') await createNamespace(request, demand, namespace);
  const url = `sys/namespaces/${encodePath(path.slice(end + 1))}`;
  const present = await request('GET', url, undefined, { namespace });
  if (present.status === 404) await demand('POST', url, undefined, { namespace });
}

/** Sends one request. Without a token: init, unseal and health need none. */
export async function send(
  url: string,
  method: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const signal = AbortSignal.timeout(30_000);
  const answer = await fetch(url, { method, headers, signal, ...(sent === undefined ? {} : { body: sent }) });
  const text = await answer.text();
  return { status: answer.status, text, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The answer itself, if its status is below 400; the error has OpenBao's own reasons, never the request's body. */
export function accepted(answer: Answer, method: string, path: string): Answer {
  if (answer.status < 400) return answer;
  const { errors = [] } = (answer.body ?? {}) as { errors?: readonly string[] };
  throw new Error(
    `OpenBao answered ${answer.status} to ${method} ${path}: ${errors.join('; ').trim() || 'no reason given'}`,
  );
}
