import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { Inbox, Publisher } from '../queue/ports.ts';
import type { Routes } from '../replicate/routes.ts';
import { createSweepServer, type SweepMetrics } from '../sweep/requests.ts';
import { type OwnedCopy, type Scope, sweep } from '../sweep/sweep.ts';
import { askForSweep, sweepAtStart, sweepTimer } from '../sweep/timer.ts';
import type { VaultSource } from '../vault/source.ts';
import { destinationPart, type Gate, VAULT } from '../worker/gate.ts';
import { watched } from '../worker/watched.ts';

export interface SweepParts {
  readonly config: Config;
  readonly routes: Routes;
  readonly publisher: Publisher;
  readonly source: Pick<VaultSource, 'list'>;
  readonly gate: Gate;
  readonly depth: Inbox['depth'];
  /** A destination's copies, by its name. */
  readonly listings: ReadonlyMap<string, () => AsyncIterable<OwnedCopy>>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SweepMetrics;
}

/** Serves the requests for a sweep; an outage that a listing runs into is told to the gate. */
export function createSweeps(parts: SweepParts, signal: AbortSignal) {
  const { config, gate, routes } = parts;
  const vault = config.vault.id;
  const { mounts } = routes;
  const destinations = new Map(
    [...parts.listings].map(([name, list]) => {
      const part = destinationPart(name);
      return [name, { copies: () => watched(gate, part, list()), isDown: () => gate.isDown(part) }];
    }),
  );
  const list: VaultSource['list'] = (mount) => watched(gate, VAULT, parts.source.list(mount));
  const run = (scope: Scope, ending: AbortSignal) =>
    sweep({ ...parts, vault, source: { list }, destinations }, scope, ending);
  const onceUp = sweepOnceUp({ ...parts, vault }, signal);
  return createSweepServer({ ...parts, mounts, run, onceUp, minGap: config.sweep.minGap }, signal);
}

/** Asks for a sweep as soon as a destination is back that one has passed over. Kept in memory: the timer covers a crash. */
function sweepOnceUp(parts: SweepParts & { readonly vault: string }, signal: AbortSignal) {
  const owed = new Set<string>();
  return (destination: string): void => {
    if (owed.has(destination)) return;
    owed.add(destination);
    void parts.gate.up(destinationPart(destination), signal).then(() => {
      owed.delete(destination);
      return askForSweep(parts, { origin: 'gap', reason: 'destination' }, randomUUID(), signal);
    });
  };
}

/** By the clock; and, since without an ingress nobody else does, at the start. */
export function askForSweeps(
  parts: Pick<SweepParts, 'config' | 'publisher' | 'clock' | 'log'>,
  signal: AbortSignal,
): Promise<unknown> {
  const { ingress, sweep: timing, vault } = parts.config;
  const asker = { ...parts, vault: vault.id };
  const start = ingress === false ? sweepAtStart(asker, signal) : undefined;
  return Promise.all([start, sweepTimer(asker, timing.every, signal)]);
}
