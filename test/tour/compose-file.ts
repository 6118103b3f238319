import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../servers/root.ts';

/** As far as the tests ask; after the merges (`<<`) were made. */
export interface Service {
  readonly image?: string;
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
}

export const projectFile = (path: string): string => readFileSync(join(projectRoot(), path), 'utf8');

/** The services of docker-compose.yml by name, `$$` still doubled. */
export function composeServices(): Readonly<Record<string, Service>> {
  const { services } = parse(projectFile('docker-compose.yml'), { merge: true }) as {
    services: Record<string, Service>;
  };
  return services;
}
