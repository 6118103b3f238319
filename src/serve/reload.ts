import type { BearerDoor } from '../bearer.ts';
import type { Certificate, CertificateFiles } from '../certificate.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { Sensitive } from '../sensitive.ts';

/** What SIGHUP replaces: reads what the configuration names, throws if that cannot be used, and changes nothing yet. */
export interface Replaceable {
  /** As in the configuration. */
  readonly key: string;
  /** The function returned puts it to use. Undefined where the configuration has none. */
  prepare(config: Config): Promise<(() => void) | undefined>;
}

export const replaceableTokens = (
  key: string,
  door: BearerDoor,
  tokensOf: (config: Config) => readonly Sensitive<string>[] | undefined | 'none',
): Replaceable => ({
  key,
  async prepare(config) {
    const tokens = tokensOf(config);
    return tokens === 'none' ? undefined : () => door.replace(tokens);
  },
});

export const replaceableCertificate = (
  key: string,
  certificate: Certificate,
  filesOf: (config: Config) => CertificateFiles | undefined,
): Replaceable => ({
  key,
  async prepare(config) {
    const files = filesOf(config);
    return files && certificate.prepare(files);
  },
});

export interface ReloadOptions {
  /** What this process was started with. */
  readonly config: Config;
  /** Throws an Error whose message may be logged. */
  readonly load: () => Promise<Config>;
  readonly parts: readonly Replaceable[];
  readonly log: Log;
}

/**
 * Reads the configuration again and puts its tokens and certificates to use: all of them, or none when anything is
 * wrong. Never rejects. The rest of the configuration takes a restart, and the log says so.
 */
export function createReload(options: ReloadOptions): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(() => reload(options));
    return last;
  };
}

async function reload({ config, load, parts, log }: ReloadOptions): Promise<void> {
  try {
    const next = await load();
    const prepared = await Promise.all(parts.map(async (part) => ({ ...part, apply: await part.prepare(next) })));
    const applied = prepared.filter(({ apply }) => apply !== undefined);
    for (const { apply } of applied) apply?.();
    const restart = changedSections(config, next);
    log.info({ event: 'reloaded', read: applied.map(({ key }) => key), ...(restart.length > 0 && { restart }) });
  } catch (error) {
    const text = error instanceof Error ? error.message : 'unexpected';
    log.error({ event: 'reload.failed', text: `nothing was changed: ${text}` });
  }
}

/** The sections that differ in something that only a restart puts to use. */
function changedSections(before: Config, after: Config): string[] {
  const known = new Map(sectionsOf(before));
  const changed = sectionsOf(after).filter(([section, text]) => known.get(section) !== text);
  return changed.map(([section]) => section).toSorted();
}

const sectionsOf = (config: Config): [section: string, text: string][] =>
  Object.entries(withoutReplaceable(config)).map(([section, value]) => [section, JSON.stringify(value)]);

const withoutReplaceable = (config: Config) => ({
  ...config,
  ingress: config.ingress && {
    ...config.ingress,
    tls: undefined,
    http: config.ingress.http && { ...config.ingress.http, tokens: undefined },
  },
  admin: { ...config.admin, token: undefined, tls: undefined },
});
