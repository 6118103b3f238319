import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { formatMount, type MountRef } from '../replicate/ref.ts';
import type { Mount } from '../replicate/source.ts';

/** An `auto` mount is asked for again this often, in ms. */
const ASKED_AGAIN_AFTER = 3_600_000;
/** Between two questions there is at least this long, in ms, however often they are called for. */
const LEAST_PAUSE = 100;

export interface RoutedMount extends MountRef {
  readonly kvVersion: 'auto' | 1 | 2;
}

/** Which KV version each routed mount speaks: an audit entry does not tell, and a path must never be guessed from. */
export interface KvVersions {
  versionOf(mount: MountRef): 1 | 2 | undefined;
  /** Forgets what Vault was asked, and asks anew. */
  askAgain(): void;
  /** Vault is alive and an unknown mount in use: asks without waiting any longer. */
  askNow(): void;
  /** True when no mount's version is unknown. */
  known(): boolean;
  /** Asks until all are known, then hourly, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createKvVersions(
  mounts: readonly RoutedMount[],
  ask: (mount: MountRef) => Promise<Mount>,
  clock: Clock,
  log: Log,
): KvVersions {
  const key = ({ namespace, mount }: MountRef) => `${namespace}\0${mount}`;
  const versions = new Map<string, 1 | 2>();
  const auto = new Map<string, MountRef>();
  for (const mount of mounts) {
    if (mount.kvVersion === 'auto') auto.set(key(mount), mount);
    else versions.set(key(mount), mount.kvVersion);
  }
  let waiting = new AbortController();
  const unknown = () => [...auto.values()].filter((mount) => !versions.has(key(mount)));

  const askAll = async (refs: readonly MountRef[], firstTry: boolean) => {
    for (const mount of refs) {
      try {
        versions.set(key(mount), (await ask(mount)).kv);
      } catch (error) {
        if (firstTry) log.warn({ event: 'mount.version_unknown', mount: formatMount(mount), err: error });
      }
    }
  };

  return {
    versionOf: (mount) => versions.get(key(mount)),
    known: () => unknown().length === 0,
    askAgain() {
      for (const mount of auto.keys()) versions.delete(mount);
      waiting.abort();
    },
    askNow: () => waiting.abort(),
    async run(signal) {
      for (let tries = 1; !signal.aborted; tries += 1) {
        waiting = new AbortController();
        const missing = unknown();
        await askAll(missing.length > 0 ? missing : [...auto.values()], tries === 1);
        const allKnown = unknown().length === 0;
        if (allKnown) tries = 0;
        const pause = allKnown ? ASKED_AGAIN_AFTER : backoff(Math.min(tries, 4), 0) * 1000;
        await clock.sleep(pause, AbortSignal.any([signal, waiting.signal]));
        await clock.sleep(LEAST_PAUSE, signal);
      }
    },
  };
}
