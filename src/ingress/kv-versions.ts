import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { formatMount, type MountRef, mountKey } from '../replicate/ref.ts';
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
  /** A mount has changed, or one that is not known is in use: asks now. What is known holds until the answer is there. */
  askNow(): void;
  /** True when no mount's version is unknown. */
  known(): boolean;
  /** Asks until all are known, then hourly, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface KvVersionOptions {
  readonly ask: (mount: MountRef) => Promise<Mount>;
  readonly clock: Clock;
  readonly log: Log;
  /** A version is known that was not. */
  readonly onKnown: () => void;
  /** A mount is of another version than its last entries were read by. */
  readonly onChanged: () => void;
}

export function createKvVersions(mounts: readonly RoutedMount[], options: KvVersionOptions): KvVersions {
  const { clock } = options;
  const versions = new Map<string, 1 | 2>();
  const auto = new Map<string, MountRef>();
  for (const mount of mounts) {
    if (mount.kvVersion === 'auto') auto.set(mountKey(mount), mount);
    else versions.set(mountKey(mount), mount.kvVersion);
  }
  let waiting = new AbortController();
  const unknown = () => [...auto.values()].filter((mount) => !versions.has(mountKey(mount)));

  const learn = (mount: MountRef, version: 1 | 2) => {
    const before = versions.get(mountKey(mount));
    versions.set(mountKey(mount), version);
    if (before === undefined) options.onKnown();
    else if (before !== version) options.onChanged();
  };
  const askAll = async (firstTry: boolean) => {
    for (const mount of auto.values()) {
      try {
        learn(mount, (await options.ask(mount)).kv);
      } catch (error) {
        if (!firstTry) continue;
        options.log.warn({ event: 'mount.version_unknown', mount: formatMount(mount), err: error });
      }
    }
  };

  return {
    versionOf: (mount) => versions.get(mountKey(mount)),
    known: () => unknown().length === 0,
    askNow: () => waiting.abort(),
    async run(signal) {
      for (let tries = 1; !signal.aborted; tries += 1) {
        waiting = new AbortController();
        await askAll(tries === 1);
        const allKnown = unknown().length === 0;
        if (allKnown) tries = 0;
        const pause = allKnown ? ASKED_AGAIN_AFTER : backoff(Math.min(tries, 4), 0) * 1000;
        await clock.sleep(pause, AbortSignal.any([signal, waiting.signal]));
        await clock.sleep(LEAST_PAUSE, signal);
      }
    },
  };
}
