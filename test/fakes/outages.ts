import { ReplicationError } from '../../src/errors.ts';
import type { Probe } from '../../src/worker/gate.ts';

/** Parts that are up or down as the test says, and how often each was asked. */
export interface Outages {
  readonly probes: ReadonlyMap<string, Probe>;
  /** What each part that is down throws; `silent` never answers. */
  readonly down: Map<string, unknown>;
  readonly asked: Map<string, number>;
}

export function createOutages(parts: readonly string[]): Outages {
  const down = new Map<string, unknown>();
  const asked = new Map<string, number>();
  const probe = (part: string) => async () => {
    asked.set(part, (asked.get(part) ?? 0) + 1);
    if (down.get(part) === 'silent') await new Promise(() => undefined);
    if (down.has(part)) throw down.get(part);
  };
  return { probes: new Map(parts.map((part) => [part, probe(part)])), down, asked };
}

export const unreachable = (part: string): ReplicationError =>
  new ReplicationError(part === 'vault' ? 'source_unavailable' : 'destination_unavailable', `no answer from ${part}`);
