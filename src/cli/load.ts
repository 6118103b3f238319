import { readFile } from 'node:fs/promises';
import { environment } from '../config/env.ts';
import { loadConfig } from '../config/load.ts';

/** The configuration that --config or the environment names. Throws a ConfigError. */
export const load = (file: string | undefined) =>
  loadConfig({ file, env: environment(), readFile: (path) => readFile(path, 'utf8') });
