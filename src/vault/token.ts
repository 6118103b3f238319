import { stat } from 'node:fs/promises';
import { ReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Sensitive } from '../sensitive.ts';
import { codeOf, readSecretFile } from './secret-file.ts';
import type { Standing } from './standing.ts';

/** How we show Vault who we are: a token, or a file that somebody keeps one in (Vault Agent's sink, a mounted secret). */
export interface TokenAuth {
  readonly token?: Sensitive<string>;
  /** Counts before `token`. */
  readonly tokenFile?: string;
}

export interface TokenReader {
  /** The token to use now. Throws source_unavailable while there is none to be had. */
  current(): Promise<Sensitive<string>>;
  /**
   * After a 403 of `used`, which Vault still takes (`stands`) or does not (`dead`): looks again at once; true when the
   * token is now another. Throws source_unavailable where a dead one is to be replaced and cannot be yet.
   */
  refresh(used: Sensitive<string>, standing: Standing): Promise<boolean>;
}

interface Held {
  readonly stamp: string;
  readonly token: Sensitive<string>;
}

const CHECK_EVERY_MS = 1000;

/** `now` is a monotonic clock in milliseconds. */
export function createTokenReader(auth: TokenAuth, log: Log, now: () => number = () => performance.now()): TokenReader {
  const { token, tokenFile } = auth;
  if (tokenFile !== undefined) return fileReader(tokenFile, log, now);
  if (token === undefined) throw new TypeError('neither a token nor a file of one is configured');
  return { current: async () => token, refresh: async () => false };
}

/**
 * The file is looked at by `stat`, not watched: a watch loses sight of a file that is replaced by a rename or by turning
 * the symbolic link above it, and both are how such files are written.
 */
function fileReader(path: string, log: Log, now: () => number): TokenReader {
  let held: Held | undefined;
  let checkedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  let trouble: string | undefined;

  const look = async (force: boolean): Promise<void> => {
    checkedAt = now();
    try {
      held = await load(path, force ? undefined : held);
      trouble = undefined;
    } catch (error) {
      const code = codeOf(error);
      // Said once per trouble: the file is looked at every second.
      if (code !== trouble) log.warn({ event: 'vault.token_file_unusable', file: path, code });
      trouble = code;
    }
  };
  // One look at a time serves all who ask meanwhile.
  const lookOnce = (force: boolean): Promise<void> => {
    looking ??= look(force).finally(() => {
      looking = undefined;
    });
    return looking;
  };
  const token = (): Sensitive<string> => {
    if (held !== undefined) return held.token;
    throw new ReplicationError(
      'source_unavailable',
      `no Vault token can be read from ${path}; write one into the file`,
    );
  };
  return {
    current: async () => {
      if (now() - checkedAt >= CHECK_EVERY_MS || looking !== undefined) await lookOnce(false);
      return token();
    },
    refresh: async (used) => {
      await lookOnce(true);
      return token().reveal() !== used.reveal();
    },
  };
}

async function load(path: string, held: Held | undefined): Promise<Held> {
  // Stamped before it is read: a write in between changes the stamp, and is found at the next look.
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  const stamp = [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  if (held?.stamp === stamp) return held;
  return { stamp, token: await readSecretFile(path) };
}
