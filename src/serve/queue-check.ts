import type { SQSClient } from '@aws-sdk/client-sqs';
import { backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import { checkQueues } from '../queue/check.ts';
import { queueAttributes } from '../queue/sqs.ts';

/** The queues are not what the worker needs; `problems` say what to mend. */
export class QueueUnfit extends Error {
  override name = 'QueueUnfit';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

interface QueueCheckParts {
  readonly config: Config;
  readonly sqs: SQSClient;
  readonly clock: Clock;
  readonly log: Log;
}

/** Asks again until SQS answers: it may be down or closed to us. Unfit queues end the worker, a doubt is only told. */
export function checkUntilAnswered({ config: { queue }, sqs, clock, log }: QueueCheckParts, signal: AbortSignal) {
  const check = async (tries: number): Promise<boolean> => {
    try {
      const [{ attributes }, deadLetters] = await Promise.all([
        queueAttributes(sqs, queue.url),
        queueAttributes(sqs, queue.deadLetterUrl),
      ]);
      const expected = { maxReceives: queue.maxReceives, visibility: queue.visibilityTimeout };
      const { errors, warnings } = checkQueues(attributes, deadLetters.attributes, expected);
      for (const text of warnings) log.warn({ event: 'queue.check', text });
      if (errors.length > 0) throw new QueueUnfit(errors);
      return true;
    } catch (error) {
      if (error instanceof QueueUnfit) throw error;
      if (tries === 1) log.warn({ event: 'queue.unreachable', err: error });
      return false;
    }
  };
  const firstTry = check(1);
  const answered = (async () => {
    let done = await firstTry;
    for (let tries = 2; !done && !signal.aborted; tries += 1) {
      await clock.sleep(backoff(tries, Math.random()) * 1000, signal);
      if (!signal.aborted) done = await check(tries);
    }
  })();
  answered.catch(() => undefined); // whoever awaits it hears of it, but not before the first try is awaited
  return { firstTry, answered };
}
