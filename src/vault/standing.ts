import { ReplicationError } from '../errors.ts';
import type { MountRef } from '../replicate/ref.ts';
import type { Sensitive } from '../sensitive.ts';
import { entryPath } from './path.ts';
import type { Answer } from './transport.ts';

/** Whether Vault takes a token, whatever its policy lets it do. */
export type Standing = 'stands' | 'dead';

interface Evidence {
  /** Where the token was issued. */
  readonly home: string;
  /** Mounts that it should be able to use. */
  readonly mounts: readonly MountRef[];
}

type Get = (namespace: string, path: string, token: Sensitive<string>) => Promise<Answer>;

const LOOKUP = '/auth/token/lookup-self';
/** Mounts that are asked about: enough, where one of them is routed rightly. */
const MOST = 8;

/**
 * Asks Vault about exactly this token. A policy may lack lookup-self, so a 403 alone proves nothing: the token is dead when
 * it is shown none of the routed mounts' entries either, which any token with a line below the mount may see.
 * Throws source_unavailable when Vault does not say.
 */
export function createStandingOf(
  get: Get,
  { home, mounts }: Evidence,
): (token: Sensitive<string>) => Promise<Standing> {
  return async (token) => {
    const { status } = await get(home, LOOKUP, token);
    if (status === 200) return 'stands';
    if (status !== 403) throw unsaid(status);
    for (const mount of mounts.slice(0, MOST)) {
      const entry = await get(mount.namespace, entryPath(mount), token);
      if (entry.status === 200) return 'stands';
      if (entry.status !== 403) throw unsaid(entry.status);
    }
    return 'dead';
  };
}

const unsaid = (status: number): ReplicationError =>
  new ReplicationError(
    'source_unavailable',
    `Vault answered ${status} when asked about its token; is it sealed or starting?`,
  );

/** The error of a token that Vault does not take any more. */
export const deadToken = (): ReplicationError =>
  new ReplicationError(
    'source_unavailable',
    'the Vault token is no longer valid (lookup-self answered 403); put a new one in its place',
  );
