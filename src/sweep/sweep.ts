import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { ReplicationError, toReplicationError } from '../errors.ts';
import type { Log } from '../log.ts';
import { encodeChange, findingDeduplicationId } from '../queue/message.ts';
import { BATCH, type Inbox, type Outgoing, type Publisher } from '../queue/ports.ts';
import { formatMount, type MountRef, type SecretRef } from '../replicate/ref.ts';
import type { Routes } from '../replicate/routes.ts';
import type { Source } from '../replicate/source.ts';
import { type Tags, taggedRef } from '../replicate/tags.ts';

/** A sweep adds nothing while this many messages wait: a fresh write must never stand behind it. */
const MAX_VISIBLE = 500;
/** How long it then waits before it asks again, in ms. */
const CROWDED_PAUSE = 1_000;
/** Before what SQS did not take out of a batch is sent again, in ms. */
const REFUSED_PAUSE = 1_000;
/** Findings between two looks at the queue's depth. */
const DEPTH_CHECKED_EVERY = 10 * BATCH;

/** A copy that carries our vault's tag, as a listing of the destination shows it. */
export interface OwnedCopy {
  readonly tags: Tags;
  readonly description: string;
}

/** A destination as a sweep meets it. */
export interface SweptDestination {
  /** All copies of this vault there. */
  readonly copies: () => AsyncIterable<OwnedCopy>;
  /** While it is down, nothing is put on the queue for it. */
  readonly isDown: () => boolean;
}

export interface SweepOptions {
  readonly vault: string;
  readonly source: Pick<Source, 'list'>;
  readonly routes: Routes;
  /** By name. */
  readonly destinations: ReadonlyMap<string, SweptDestination>;
  readonly publisher: Publisher;
  readonly depth: Inbox['depth'];
  readonly clock: Clock;
  readonly log: Log;
}

/** What a sweep looks at: all of these mounts, and all copies at these destinations. */
export interface Scope {
  readonly mounts: readonly MountRef[];
  readonly destinations: readonly string[];
}

export interface SweepReport {
  /** Refs that were found, at the source or by their copy. */
  readonly refs: number;
  /** Messages that were sent. */
  readonly enqueued: number;
  /** Mounts and destinations that could not be listed: nothing is known of their secrets. */
  readonly failed: readonly string[];
  /** Those of them that may be listed in a moment: not a policy that lacks, a mount that is no KV v2, or an outage. */
  readonly again: Scope;
  /** Destinations that were down, so that nothing was put on the queue for them. */
  readonly down: readonly string[];
}

/**
 * Looks at everything once: every secret that Vault lists, and every copy whose secret Vault no longer lists, is put on
 * the queue as one reference, and the worker decides. Reads names only. What cannot be listed is unknown, not empty, and
 * keeps nothing else waiting. Throws when SQS fails or the signal aborts.
 */
export async function sweep(options: SweepOptions, scope: Scope, signal: AbortSignal): Promise<SweepReport> {
  const seen = new Set<string>();
  const findings = createFindings(options, signal);
  const find = async (ref: SecretRef) => {
    const key = JSON.stringify([ref.namespace, ref.mount, ref.path]);
    if (seen.has(key)) return;
    seen.add(key);
    await findings.add(ref);
  };
  const mounts = await failures(scope.mounts, (mount) => listMount(options, mount, find, signal));
  const unknown = mounts.map(({ what }) => what);
  const destinations = await failures([...options.destinations.keys()], (name) => {
    const covered = (ref: SecretRef) => scope.destinations.includes(name) || isIn(scope.mounts, ref);
    return listCopies(options, name, (ref) => (covered(ref) && !isIn(unknown, ref) ? find(ref) : undefined), signal);
  });
  const enqueued = await findings.end();
  const down = [...findings.down];
  return {
    refs: seen.size,
    enqueued,
    failed: [...unknown.map(formatMount), ...destinations.map(({ what }) => `destinations.${what}`)],
    again: {
      mounts: mounts.filter(mayPass).map(({ what }) => what),
      destinations: destinations.filter((each) => mayPass(each) && !down.includes(each.what)).map(({ what }) => what),
    },
    down,
  };
}

const isIn = (mounts: readonly MountRef[], { namespace, mount }: SecretRef): boolean =>
  mounts.some((candidate) => candidate.mount === mount && candidate.namespace === namespace);

interface Failure<T> {
  readonly what: T;
  readonly error: ReplicationError;
}

const mayPass = ({ error }: Failure<unknown>): boolean => error.treatment !== 'permanent';

/** One after the other; those whose listing broke off. */
async function failures<T>(
  all: readonly T[],
  list: (what: T) => Promise<ReplicationError | undefined>,
): Promise<Failure<T>[]> {
  const failed: Failure<T>[] = [];
  for (const what of all) {
    const error = await list(what);
    if (error !== undefined) failed.push({ what, error });
  }
  return failed;
}

/** Finds all paths of the mount; resolves to the error of a listing that broke off. */
function listMount(
  { source, log }: SweepOptions,
  mount: MountRef,
  find: (ref: SecretRef) => Promise<void>,
  signal: AbortSignal,
): Promise<ReplicationError | undefined> {
  const failed = (err: ReplicationError) => log.warn({ event: 'sweep.listing_failed', mount: formatMount(mount), err });
  return readAll(source.list(mount), (path) => find({ ...mount, path }), failed, signal);
}

/** Finds the refs of all copies; resolves to the error of a listing that broke off. */
async function listCopies(
  { destinations, routes, log }: SweepOptions,
  name: string,
  find: (ref: SecretRef) => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<ReplicationError | undefined> {
  const destination = destinations.get(name);
  if (destination === undefined || destination.isDown()) return undefined;
  const failed = (err: ReplicationError) => log.warn({ event: 'sweep.listing_failed', destination: name, err });
  const each = async ({ tags, description }: OwnedCopy) => {
    const ref = taggedRef(tags, description, routes.mounts); // all: one mount may lie within another
    if (ref !== undefined) await find(ref);
  };
  return readAll(destination.copies(), each, failed, signal);
}

/** What the listing throws is told and returned; what `each` throws is thrown. */
async function readAll<T>(
  listing: AsyncIterable<T>,
  each: (row: T) => Promise<void>,
  failed: (error: ReplicationError) => void,
  signal: AbortSignal,
): Promise<ReplicationError | undefined> {
  const rows = listing[Symbol.asyncIterator]();
  for (;;) {
    const next = await rows.next().catch(toReplicationError);
    signal.throwIfAborted();
    if (next instanceof ReplicationError) {
      failed(next);
      return next;
    }
    if (next.done === true) return undefined;
    await each(next.value);
  }
}

/** Sends what was found in batches, and holds back while the queue is crowded. */
function createFindings({ vault, routes, destinations, publisher, depth, clock }: SweepOptions, signal: AbortSignal) {
  const sweepId = randomUUID(); // a sweep that is run again finds anew: its ids must not be taken for the first run's
  const down = new Set([...destinations].flatMap(([name, { isDown }]) => (isDown() ? [name] : [])));
  const batch: Outgoing[] = [];
  let enqueued = 0;
  let sinceDepth = Number.POSITIVE_INFINITY;

  const room = async () => {
    while ((await depth()).visible >= MAX_VISIBLE) {
      await clock.sleep(CROWDED_PAUSE, signal);
      signal.throwIfAborted();
    }
    sinceDepth = 0;
  };
  const send = async () => {
    while (batch.length > 0) {
      if (sinceDepth >= DEPTH_CHECKED_EVERY) await room();
      const sent = batch.splice(0, BATCH);
      const notTaken = await publisher.send(sent);
      enqueued += sent.length - notTaken.length;
      sinceDepth += sent.length;
      const again = notTaken.flatMap(({ index, forGood }) => (forGood ? [] : sent.slice(index, index + 1)));
      if (again.length > 0) await clock.sleep(REFUSED_PAUSE, signal);
      signal.throwIfAborted();
      batch.push(...again);
    }
  };
  const isDown = (name: string) => {
    if (destinations.get(name)?.isDown() === true) down.add(name);
    return down.has(name); // also when it is back by now: it was passed over before
  };
  return {
    down,
    async add(ref: SecretRef) {
      for (const target of routes.targets(ref)) {
        if (isDown(target.destination)) continue;
        const body = encodeChange(vault, ref, target, { origin: 'sweep', sweepId });
        batch.push({ body, group: target.group, deduplicationId: findingDeduplicationId(target.group, sweepId) });
      }
      if (batch.length >= BATCH) await send();
    },
    async end() {
      if (batch.length > 0) await send();
      return enqueued;
    },
  };
}
