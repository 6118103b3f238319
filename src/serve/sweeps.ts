import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { Inbox, Publisher } from '../queue/ports.ts';
import type { Destination, ListedCopy } from '../replicate/destination.ts';
import { lookAtBoth, type Order } from '../replicate/look-at.ts';
import { formatRef } from '../replicate/ref.ts';
import type { Routes } from '../replicate/routes.ts';
import type { Due } from '../sweep/deletion.ts';
import { createSweepServer } from '../sweep/requests.ts';
import type { SweepMetrics } from '../sweep/run-once.ts';
import { type SweepOrder, sweep, type WorkerDestination } from '../sweep/sweep.ts';
import { askForSweep, sweepAtStart, sweepTimer } from '../sweep/timer.ts';
import type { VaultSource } from '../vault/source.ts';
import { destinationPart, type Gate, VAULT } from '../worker/gate.ts';
import type { WorkerMetrics } from '../worker/look.ts';
import { suspecting, watched } from '../worker/watched.ts';
import { fresh } from './fresh.ts';

export interface SweepParts {
  readonly config: Config;
  readonly routes: Routes;
  readonly publisher: Publisher;
  readonly source: Pick<VaultSource, 'read' | 'survey'>;
  readonly gate: Gate;
  readonly inbox: Inbox;
  /** By name. */
  readonly destinations: ReadonlyMap<string, SweptEnd>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: SweepMetrics & Pick<WorkerMetrics, 'replicated'>;
}

/** What the worker has of a destination. */
export interface SweptEnd {
  readonly destination: Destination;
  /** All copies of this vault there. */
  readonly list: () => AsyncIterable<ListedCopy>;
}

/** Serves the requests for a sweep; an outage that a listing runs into is told to the gate. */
export function createSweeps(parts: SweepParts, signal: AbortSignal) {
  const { config, gate, inbox, log, metrics } = parts;
  const vault = config.vault.id;
  const destinations = new Map(
    [...parts.destinations].map(([name, end]) => [name, sweptDestination(parts, name, end)]),
  );
  const survey: VaultSource['survey'] = async (mount, wanted) => {
    const { secrets, ...rest } = await suspecting(gate, VAULT, parts.source.survey(mount, wanted));
    return { ...rest, secrets: watched(gate, VAULT, secrets) };
  };
  const onDeleted = ({ ref, target }: Due, outcome: 'deleted' | 'restored') => {
    const { destination, secretName } = target;
    metrics.replicated(destination, outcome);
    log.info({ event: 'secret.replicated', ref: formatRef(ref), destination, secretName, outcome });
  };
  const { depth } = inbox;
  const options = { ...parts, vault, source: { survey }, destinations, depth, onDeleted };
  const run = (order: SweepOrder, ending: AbortSignal) => sweep(options, order, ending);
  const onceUp = sweepOnceUp({ ...parts, vault }, signal);
  const again = (reason: string, seconds: number) =>
    void parts.clock
      .sleep(seconds * 1000, signal)
      .then(() => askForSweep({ ...parts, vault }, { origin: 'gap', reason }, randomUUID(), signal));
  const waitsFor = () => (gate.isDown(VAULT) ? VAULT : undefined);
  const timing = { ...config.sweep, visibility: config.queue.visibilityTimeout };
  return createSweepServer({ ...parts, ...timing, run, onceUp, again, waitsFor }, signal);
}

function sweptDestination(parts: SweepParts, name: string, { destination, list }: SweptEnd): WorkerDestination {
  const { config, gate, source, clock } = parts;
  const part = destinationPart(name);
  const { tags = {}, versionTag = true, maxSecrets = 0, onDelete, deletion } = config.destinations[name] ?? {};
  const ports = { source, destination, clock, fresh, vault: config.vault.id, tags, versionTag };
  const end = { look: (order: Order) => lookAtBoth(ports, order), destination, source };
  return {
    ...{ tags, versionTag, maxSecrets, describe: destination.describe },
    copies: () => watched(gate, part, list()),
    isDown: () => gate.isDown(part),
    ...(onDelete === 'schedule' && deletion !== undefined && { deletion: { settings: deletion, end } }),
  };
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
