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

export interface SweepOptions {
  readonly vault: string;
  readonly source: Pick<Source, 'list'>;
  readonly routes: Routes;
  /** All copies of this vault at every destination. */
  readonly copies: () => AsyncIterable<OwnedCopy>;
  readonly publisher: Publisher;
  readonly depth: Inbox['depth'];
  readonly clock: Clock;
  readonly log: Log;
}

export interface SweepReport {
  /** Refs that were found, at the source or by their copy. */
  readonly refs: number;
  /** Messages that were sent. */
  readonly enqueued: number;
  /** Mounts that could not be listed: nothing is known of their secrets. */
  readonly failed: readonly string[];
  /** Those of them that may be listed later: an outage, not a policy that lacks or a mount that is no KV v2. */
  readonly again: readonly MountRef[];
}

/**
 * Looks at everything once: every secret that Vault lists, and every copy whose secret Vault no longer lists, is put on
 * the queue as one reference, and the worker decides. Reads names only. Throws when the destination or SQS fail.
 * @param mounts the routed mounts to look at
 */
export async function sweep(
  options: SweepOptions,
  mounts: readonly MountRef[],
  signal: AbortSignal,
): Promise<SweepReport> {
  const seen = new Set<string>();
  const findings = createFindings(options, signal);
  const find = async (ref: SecretRef) => {
    const key = JSON.stringify([ref.namespace, ref.mount, ref.path]);
    if (seen.has(key)) return;
    seen.add(key);
    await findings.add(ref);
  };
  const failures: Failure[] = [];
  for (const mount of mounts) {
    const error = await listMount(options, mount, find, signal);
    if (error !== undefined) failures.push({ mount, error });
  }
  try {
    for await (const { tags, description } of options.copies()) {
      const ref = taggedRef(tags, description, options.routes.mounts); // all: one mount may lie within another
      if (ref !== undefined && isIn(mounts, ref)) await find(ref);
    }
  } catch (error) {
    await findings.end(); // what is found is found, also when one destination cannot be listed
    throw error;
  }
  return {
    refs: seen.size,
    enqueued: await findings.end(),
    failed: failures.map(({ mount }) => formatMount(mount)),
    again: failures.flatMap(({ mount, error }) => (error.treatment === 'permanent' ? [] : [mount])),
  };
}

const isIn = (mounts: readonly MountRef[], { namespace, mount }: SecretRef): boolean =>
  mounts.some((candidate) => candidate.mount === mount && candidate.namespace === namespace);

interface Failure {
  readonly mount: MountRef;
  readonly error: ReplicationError;
}

/** Finds all paths of the mount; resolves to the error of a listing that broke off. */
async function listMount(
  { source, log }: SweepOptions,
  mount: MountRef,
  find: (ref: SecretRef) => Promise<void>,
  signal: AbortSignal,
): Promise<ReplicationError | undefined> {
  const paths = source.list(mount)[Symbol.asyncIterator]();
  for (;;) {
    const next = await paths.next().catch(toReplicationError);
    signal.throwIfAborted();
    if (next instanceof ReplicationError) {
      log.warn({ event: 'sweep.listing_failed', mount: formatMount(mount), err: next });
      return next;
    }
    if (next.done === true) return undefined;
    await find({ ...mount, path: next.value });
  }
}

/** Sends what was found in batches, and holds back while the queue is crowded. */
function createFindings({ vault, routes, publisher, depth, clock }: SweepOptions, signal: AbortSignal) {
  const sweepId = randomUUID(); // a sweep that is run again finds anew: its ids must not be taken for the first run's
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
  return {
    async add(ref: SecretRef) {
      for (const target of routes.targets(ref)) {
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
