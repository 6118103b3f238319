import { ReplicationError } from '../errors.ts';
import type { MountRef } from '../replicate/ref.ts';
import type { Sensitive } from '../sensitive.ts';
import { at, json, mountEntry } from '../vault/answer.ts';
import { reasonOf } from '../vault/ask.ts';
import type { VaultClient } from '../vault/client.ts';
import { entryPath, listPath, valuePath } from '../vault/path.ts';
import type { Answer } from '../vault/transport.ts';
import type { Device } from './checks/audit.ts';
import type { MountEntry, MountFacts, Right } from './checks/mount.ts';
import { type Health, productOf } from './checks/server.ts';
import type { Lease, TokenFacts, TokenOrigin } from './checks/token.ts';
import { freeName } from './free-path.ts';

/** GETs as VaultFerry; throws where there is no answer, or no token to ask with. */
export type Ask = (namespace: string, path: string, maxBytes?: number) => Promise<Answer>;

/** Asks sys/health, which needs no token. Its status differs from state to state, and its body names them all. */
export async function lookAtHealth(
  client: VaultClient,
  address: string | undefined,
  now: () => number,
): Promise<Health> {
  const call = { method: 'GET', path: '/sys/health', namespace: '' } as const;
  try {
    const answer = await client.request(call);
    return health(answer, address, now());
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // OpenSSL's own words are for those who know its source.
    return { kind: 'unreachable', address, code, reason: code === 'EPROTO' ? 'no TLS handshake' : reasonOf(error) };
  }
}

function health(answer: Answer, address: string | undefined, receivedAt: number): Health {
  const body = json(answer);
  const [initialized, sealed, version] = [at(body, 'initialized'), at(body, 'sealed'), at(body, 'version')];
  if (typeof initialized !== 'boolean' || typeof sealed !== 'boolean' || typeof version !== 'string') {
    const wantsTls = answer.text.reveal().includes('HTTP request to an HTTPS server');
    return { kind: 'foreign', address, status: answer.status, wantsTls };
  }
  const time = at(body, 'server_time_utc');
  return {
    ...{ kind: 'answered', address, initialized, sealed, version, receivedAt },
    standby: at(body, 'standby') === true,
    drSecondary: at(body, 'replication_dr_mode') === 'secondary',
    product: productOf(version, at(body, 'enterprise')),
    ...(typeof time === 'number' && { serverTime: time * 1000 }),
  };
}

interface TokenLook {
  readonly ask: Ask;
  readonly origin: TokenOrigin;
  /** Where the token is issued. */
  readonly namespace: string;
  /** Resolves when Vault takes the token, whatever its policy lets it do. */
  readonly checkToken: () => Promise<void>;
  readonly now: () => number;
}

/** Asks Vault about the token; of the answer, which holds the token itself, only what is named here is kept. */
export async function lookAtToken({ ask, origin, namespace, checkToken, now }: TokenLook): Promise<TokenFacts> {
  const answer = await ask(namespace, '/auth/token/lookup-self');
  if (answer.status === 403) {
    return checkToken().then(
      () => ({ kind: 'unseen' }),
      () => ({ kind: 'refused', origin }),
    );
  }
  const lease = answer.status === 200 ? leaseOf(json(answer)) : undefined;
  if (lease === undefined) return { kind: 'unknown', reason: `lookup-self answered ${answer.status}` };
  return { kind: 'valid', origin, lease, now: now() };
}

function leaseOf(body: unknown): Lease | undefined {
  const number = (key: string): number => Number(at(body, 'data', key) ?? 0) || 0;
  const policies = at(body, 'data', 'policies');
  if (typeof at(body, 'data', 'ttl') !== 'number') return undefined;
  return {
    expires: at(body, 'data', 'expire_time') !== null,
    ttl: number('ttl'),
    renewable: at(body, 'data', 'renewable') === true,
    period: number('period'),
    explicitMaxTtl: number('explicit_max_ttl'),
    creationTime: number('creation_time'),
    uses: number('num_uses'),
    policies: Array.isArray(policies) ? policies.filter((policy) => typeof policy === 'string') : [],
  };
}

export interface RoutedMount {
  readonly ref: MountRef;
  readonly wanted: MountFacts['wanted'];
  /** A path that its routes mean and that surely is no secret's. */
  readonly freePath: string | undefined;
  /** OpenBao answers for a whole mount at once. */
  readonly atOnce: boolean;
}

/** A LIST of one folder: some hundred thousand names. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

/** Tries what the policy must grant, by names that do not exist. */
export async function lookAtMount(ask: Ask, { ref, wanted, freePath, atOnce }: RoutedMount): Promise<MountFacts> {
  const name = freeName();
  const folder = `${name}/`;
  const right = async (path: string): Promise<Right> => rightOf(await ask(ref.namespace, path, MAX_LIST_BYTES));
  const below = (kind: string): string => valuePath({ ...ref, path: name }).replace('/data/', `/${kind}/`);
  const [entry, value, top, inner, metadata, ...more] = await Promise.all([
    entryOf(ask, ref),
    freePath === undefined ? undefined : right(valuePath({ ...ref, path: freePath })),
    right(listPath(ref, '')),
    right(listPath(ref, folder)),
    right(below('metadata')),
    ...(atOnce ? [right(`${below('detailed-metadata')}/?list=true`), right(`${below('metadata')}/?scan=true`)] : []),
  ]);
  const list = top === 'granted' ? inner : top;
  const scan = more.find((one) => one !== 'granted') ?? 'granted';
  return { ref, wanted, entry, rights: { value, list, metadata, ...(atOnce && { atOnce: scan }) } };
}

function rightOf(answer: Answer): Right {
  const errors = at(json(answer), 'errors');
  if (answer.status === 200) return 'granted';
  if (answer.status === 403) return 'denied';
  if (answer.status === 404) return Array.isArray(errors) && errors.length > 0 ? 'no_mount' : 'granted';
  return { unknown: `Vault answered ${answer.status}` };
}

async function entryOf(ask: Ask, ref: MountRef): Promise<MountEntry> {
  const answer = await ask(ref.namespace, entryPath(ref));
  if (answer.status === 403) return { kind: 'hidden' };
  try {
    return { kind: 'shown', kv: mountEntry(answer, ref).kv };
  } catch (error) {
    if (!(error instanceof ReplicationError)) throw error;
    const kind = error.code === 'mount_version_mismatch' ? 'not_kv' : 'unknown';
    return { kind, reason: error.message };
  }
}

/** The audit devices, as an operator's token may see them. */
export async function lookAtDevices(
  client: VaultClient,
  token: Sensitive<string>,
): Promise<readonly Device[] | { readonly status: number }> {
  const answer = await client.request({ method: 'GET', path: '/sys/audit', namespace: '', token });
  const listed = answer.status === 200 ? at(json(answer), 'data') : undefined;
  if (typeof listed !== 'object' || listed === null) return { status: answer.status };
  return Object.entries(listed).map(([path, entry]) => ({
    path,
    type: String(at(entry, 'type') ?? ''),
    options: Object.fromEntries(
      Object.entries(at(entry, 'options') ?? {}).map(([name, value]) => [name, String(value)]),
    ),
  }));
}
