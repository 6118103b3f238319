import type { Clock } from '../clock.ts';
import type { QueueAttributes } from '../queue/check.ts';
import type { QueueCounts } from './metrics.ts';

/** Whoever scrapes waits no longer than this, in ms. */
const ANSWER_WITHIN = 2_000;
/** An answer is good for so long, in ms: many scrapers cost one call. */
const GOOD_FOR = 5_000;

type Ask = () => Promise<{ readonly attributes: QueueAttributes }>;

/** How many messages both queues hold, as SQS says when it is asked; what it does not say in time is left out. */
export function createDepths({
  queue,
  deadLetters,
  clock,
}: {
  readonly queue: Ask;
  readonly deadLetters: Ask;
  readonly clock: Clock;
}): () => Promise<QueueCounts> {
  let asked: { readonly at: number; readonly counts: Promise<QueueCounts> } | undefined;
  const ask = async (): Promise<QueueCounts> => {
    const [main, dead] = await Promise.all([inTime(queue, clock), inTime(deadLetters, clock)]);
    return {
      ...(main !== undefined && { messages: main }),
      // A letter that somebody has in hand, to list or to redrive it, is still one.
      ...(dead !== undefined && { deadLetters: dead.visible + dead.in_flight + dead.delayed }),
    };
  };
  return () => {
    const now = clock.monotonic();
    if (asked === undefined || now - asked.at > GOOD_FOR) asked = { at: now, counts: ask() };
    return asked.counts;
  };
}

async function inTime(ask: Ask, clock: Clock) {
  const late = new AbortController();
  const answer = (async () => countsOf((await ask()).attributes))().catch(() => undefined);
  const counts = await Promise.race([answer, clock.sleep(ANSWER_WITHIN, late.signal).then(() => undefined)]);
  late.abort();
  return counts;
}

const countsOf = (attributes: QueueAttributes) => ({
  visible: Number(attributes['ApproximateNumberOfMessages'] ?? 0),
  in_flight: Number(attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
  delayed: Number(attributes['ApproximateNumberOfMessagesDelayed'] ?? 0),
});
