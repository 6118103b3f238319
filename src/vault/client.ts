import nodeVault from 'node-vault';
import type { Sensitive } from '../sensitive.ts';
import { type Answer, createTransport } from './transport.ts';

/** One request to Vault's HTTP API. */
export interface Call {
  readonly method: 'GET' | 'POST';
  /** Below /v1, encoded, with its query. */
  readonly path: string;
  /** "" is the root namespace. */
  readonly namespace: string;
  /** None for a login. */
  readonly token?: Sensitive<string>;
  /** JSON. */
  readonly body?: Sensitive<string>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bound of the answer's body. */
  readonly maxBytes?: number;
}

export interface ClientOptions {
  /** `http(s)://host:port`, with an optional path in front of /v1. */
  readonly address: string;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** Milliseconds that a request may take in all. */
  readonly timeout: number;
}

export interface VaultClient {
  /** The answer, whatever its status; throws only where there is none (network, time limit, size). */
  request(call: Call): Promise<Answer>;
  close(): void;
}

/** Far above what Vault's storage lets a secret be (1 MiB by default). */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The only place that knows node-vault. It is given our transport, silenced (its debug lines hold bodies), and stripped
 * of what it takes from VAULT_TOKEN, VAULT_NAMESPACE and VAULT_PREFIX; token and namespace go with each request.
 */
export function createClient({ address, ca, timeout }: ClientOptions): VaultClient {
  const transport = createTransport({ ca, timeout });
  const client = nodeVault({
    endpoint: address,
    apiVersion: 'v1',
    debug: () => undefined,
    'request-promise': { defaults: () => transport.send },
  });
  Object.assign(client, { token: '', namespace: '', pathPrefix: '' });
  return {
    request: (call) => client.request(options(call)).then(asAnswer, answerOrThrow),
    close: () => transport.close(),
  };
}

const options = ({ method, path, namespace, token, body, headers, maxBytes = MAX_BYTES }: Call) => ({
  method,
  path,
  maxBytes,
  body,
  headers: {
    ...headers,
    'X-Vault-Request': 'true',
    ...(token !== undefined && { 'X-Vault-Token': token.reveal() }),
    // Header text is Latin-1 to Node and UTF-8 to Vault.
    ...(namespace === '' ? {} : { 'X-Vault-Namespace': Buffer.from(namespace).toString('latin1') }),
  },
});

const asAnswer = (answer: Answer): Answer => answer;

/** node-vault throws every status but 200 and 204, with our answer inside; here a status is a value like any other. */
function answerOrThrow(error: unknown): Answer {
  if (error instanceof Error && 'response' in error) {
    const { body } = error.response as { body: Answer };
    return body;
  }
  throw error;
}
