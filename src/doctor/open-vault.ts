import { systemClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { ReplicationError, toReplicationError } from '../errors.ts';
import { createLimiter } from '../limiter.ts';
import { createAccess } from '../vault/access.ts';
import { createAsk, paced, reasonOf } from '../vault/ask.ts';
import type { VaultClient } from '../vault/client.ts';
import { createSource } from '../vault/source.ts';
import type { TokenReader } from '../vault/token.ts';
import { type Health, UNCONFIGURED } from './checks/server.ts';
import type { TokenFacts, TokenOrigin } from './checks/token.ts';
import { freeName, freePath } from './free-path.ts';
import { lookAtAudit } from './look-at-audit.ts';
import { lookAtNames } from './look-at-names.ts';
import { type Ask, lookAtHealth, lookAtMount, lookAtToken, type RoutedMount } from './look-at-vault.ts';
import { once } from './once.ts';
import { type Probes, routesOf, type Visit } from './visit.ts';

/** The part of the probes that asks Vault. */
export type VaultProbes = Pick<Probes, 'health' | 'token' | 'mounts' | 'audit' | 'names' | 'close'>;

export function openVault(visit: Visit): VaultProbes {
  const { config, vault, operator } = visit;
  return vault === undefined ? withoutVault(config) : withVault({ config, vault, operator, now: visit.now });
}

function withoutVault({ ingress }: Config): VaultProbes {
  const unknown = { kind: 'unknown', reason: UNCONFIGURED } as const;
  return {
    health: async () => ({ kind: 'unconfigured' }),
    token: async () => ({ kind: 'unconfigured' }),
    mounts: async () => ({ kind: 'blind', reason: UNCONFIGURED }),
    audit: async () => (ingress === false ? { kind: 'pull' } : unknown),
    names: async () => unknown,
    close: () => undefined,
  };
}

type VaultVisit = Pick<Visit, 'config' | 'operator' | 'now'> & { readonly vault: NonNullable<Visit['vault']> };

function withVault({ config, vault, operator, now }: VaultVisit): VaultProbes {
  const { client, tokens } = createAccess(vault);
  const routes = routesOf(config);
  const slowly = paced(client, createLimiter(config.sweep.vaultRequestsPerSecond, systemClock).turn);
  const about = { namespace: vault.namespace, mounts: routes.mounts };
  const reader = createAsk(client, tokens, about);
  const ask = askWith(client, tokens);
  const origin = originOf(config.vault.auth);
  const { namespace } = vault;
  const look = { ask, origin, namespace, checkToken: reader.checkToken, now };
  const health = once(() => lookAtHealth(client, vault.address, now));
  const token = once(async () => unanswered(await health()) ?? tokenFacts(tokens, look));
  return {
    health,
    token,
    mounts: async () => {
      const [server, held] = await Promise.all([health(), token()]);
      if (!isUsable(held)) return { kind: 'blind', reason: BLIND };
      const openBao = server.kind === 'answered' && server.product === 'OpenBao';
      return Promise.all(routedMounts(config, openBao).map((mount) => lookAtMount(askWith(slowly, tokens), mount)));
    },
    audit: async () => lookAtAudit(config, await health(), client, operator),
    names: async () =>
      isUsable(await token())
        ? lookAtNames(createSource(createAsk(slowly, tokens, about), now), routes)
        : { kind: 'unknown', reason: BLIND },
    close: () => client.close(),
  };
}

const BLIND = 'cannot be tried without a valid token';
const isUsable = ({ kind }: TokenFacts): boolean => kind === 'valid' || kind === 'unseen';

function originOf(auth: Config['vault']['auth']): TokenOrigin {
  if (auth?.method !== 'token') return 'login';
  if (auth.tokenFile !== undefined) return 'file';
  return auth.connectionSecret === undefined ? 'token' : 'secret';
}

/** One request for each question: here a refusal is an answer like any other. */
function askWith(client: Pick<VaultClient, 'request'>, tokens: TokenReader): Ask {
  return async (namespace, path, maxBytes) => {
    const call = { method: 'GET', namespace, path, token: await tokens.current() } as const;
    try {
      return await client.request({ ...call, ...(maxBytes !== undefined && { maxBytes }) });
    } catch (error) {
      if (error instanceof ReplicationError) throw error;
      throw new ReplicationError('source_unavailable', `Vault gave no answer: ${reasonOf(error)}`);
    }
  };
}

/** What stands in the way of every question. */
function unanswered(health: Health): TokenFacts | undefined {
  if (health.kind !== 'answered') return { kind: 'unknown', reason: 'Vault does not answer' };
  return health.sealed || !health.initialized ? { kind: 'unknown', reason: 'Vault is sealed' } : undefined;
}

async function tokenFacts(tokens: TokenReader, look: Parameters<typeof lookAtToken>[0]): Promise<TokenFacts> {
  try {
    await tokens.current();
  } catch (error) {
    return { kind: 'none', origin: look.origin, reason: toReplicationError(error).message };
  }
  return lookAtToken(look).catch((error: unknown) => ({ kind: 'unknown', reason: toReplicationError(error).message }));
}

/** Each routed mount once, with what its routes say of it. */
function routedMounts(config: Config, atOnce: boolean): readonly RoutedMount[] {
  const { mounts } = routesOf(config);
  return mounts.map((ref) => {
    const routes = config.routes.filter(({ namespace, mount }) => namespace === ref.namespace && mount === ref.mount);
    const paths = routes.map((route) => freePath(route, freeName()));
    const wanted = routes.map(({ kvVersion }) => kvVersion);
    return { ref, wanted, freePath: paths.find((path) => path !== undefined), atOnce };
  });
}
