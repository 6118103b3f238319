import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';

const at = 'https://sqs.eu-west-1.amazonaws.com/123456789012';
const LEAST = {
  vault: { address: 'https://vault.example:8200', auth: { method: 'token', token: 'x' } },
  queue: { url: `${at}/vaultferry.fifo`, deadLetterUrl: `${at}/vaultferry-dlq.fifo` },
  routes: [{ mount: 'kv', kvVersion: 2 }],
  destinations: { default: { region: 'eu-west-1' } },
};

/** A whole configuration, with these sections in place of a plain one's. */
export const configured = (more: Readonly<Record<string, unknown>>): Config =>
  parseConfig(JSON.stringify({ ...LEAST, ...more }), {});
