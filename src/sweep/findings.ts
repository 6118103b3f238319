import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { encodeChange, findingDeduplicationId } from '../queue/message.ts';
import { BATCH, type Inbox, type Outgoing, type Publisher } from '../queue/ports.ts';
import type { SecretRef } from '../replicate/ref.ts';
import type { Target } from '../replicate/routes.ts';

/** A sweep adds nothing while this many messages wait: a fresh write must never stand behind it. */
const MAX_VISIBLE = 500;
/** How long it then waits before it asks again, in ms. */
const CROWDED_PAUSE = 1_000;
/** Before what SQS did not take out of a batch is sent again, in ms. */
const REFUSED_PAUSE = 1_000;
/** Findings between two looks at the queue's depth. */
const DEPTH_CHECKED_EVERY = 10 * BATCH;

export interface FindingsOptions {
  readonly vault: string;
  readonly publisher: Publisher;
  readonly depth: Inbox['depth'];
  readonly clock: Clock;
  /** Told once a second while it holds back, with how many messages are visible. */
  readonly onCrowded?: (visible: number) => void;
}

/** Puts findings on the queue in batches, and holds back while that is crowded. */
export interface Findings {
  add(ref: SecretRef, target: Target): Promise<void>;
  /** Sends the rest; resolves to how many were sent in all. */
  end(): Promise<number>;
}

export function createFindings(options: FindingsOptions, signal: AbortSignal): Findings {
  const { vault, publisher, depth, clock, onCrowded } = options;
  const sweepId = randomUUID(); // a sweep that is run again finds anew: its ids must not be taken for the first run's
  const batch: Outgoing[] = [];
  let enqueued = 0;
  let sinceDepth = Number.POSITIVE_INFINITY;

  const room = async () => {
    for (let { visible } = await depth(); visible >= MAX_VISIBLE; { visible } = await depth()) {
      onCrowded?.(visible);
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
    async add(ref, target) {
      const body = encodeChange(vault, ref, target, { origin: 'sweep', sweepId });
      batch.push({ body, group: target.group, deduplicationId: findingDeduplicationId(target.group, sweepId) });
      if (batch.length >= BATCH) await send();
    },
    async end() {
      if (batch.length > 0) await send();
      return enqueued;
    },
  };
}
