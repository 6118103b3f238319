/** A queue's attributes as GetQueueAttributes answers them. */
export type QueueAttributes = Readonly<Record<string, string>>;

export interface QueueReport {
  /** What the worker cannot live with, each a sentence that names the queue and the mend. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

/** 14 days, SQS's longest: a letter must outlive a holiday. In seconds. */
const RETENTION = 1_209_600;
/** A crash guard, not a retry policy. */
const MAX_RECEIVE_COUNT = 100;

/** Compares both queues with what the worker needs (DESIGN, "The message and the queue"). */
export function checkQueues(
  queue: QueueAttributes,
  deadLetters: QueueAttributes,
  { maxReceives, visibility }: { readonly maxReceives: number; readonly visibility: number },
): QueueReport {
  const redrive = redrivePolicy(queue['RedrivePolicy']);
  const receives = redrive?.maxReceiveCount ?? Number.POSITIVE_INFINITY;
  const target = redrive?.deadLetterTargetArn;
  const toDeadLetters = target !== undefined && target === deadLetters['QueueArn'];
  const errors: [boolean, string][] = [
    [!isFifo(queue), 'queue.url is not a FIFO queue: create it with FifoQueue=true and a name that ends in .fifo'],
    [!isFifo(deadLetters), 'queue.deadLetterUrl is not a FIFO queue: a FIFO queue needs a FIFO dead-letter queue'],
    [!toDeadLetters, 'queue.url has no RedrivePolicy to queue.deadLetterUrl: set its deadLetterTargetArn'],
    [
      toDeadLetters && !(receives > maxReceives),
      `the queue's maxReceiveCount is not above queue.maxReceives (${maxReceives}): SQS would park messages without a reason; set it to ${MAX_RECEIVE_COUNT}`,
    ],
  ];
  const warnings: [boolean, string][] = [
    [
      receives !== MAX_RECEIVE_COUNT,
      `the queue's maxReceiveCount should be ${MAX_RECEIVE_COUNT}: holds and deploys cost receives`,
    ],
    ...retention('queue.url', queue),
    ...retention('queue.deadLetterUrl', deadLetters),
    [
      Number(queue['VisibilityTimeout'] ?? 0) * 1000 !== visibility,
      `the queue's VisibilityTimeout differs from queue.visibilityTimeout (${visibility / 1000} s), which VaultFerry sets on each receive`,
    ],
    [
      queue['DeduplicationScope'] !== 'messageGroup',
      'the queue is not in high throughput mode: set DeduplicationScope to messageGroup',
    ],
    [
      queue['FifoThroughputLimit'] !== 'perMessageGroupId',
      'the queue is not in high throughput mode: set FifoThroughputLimit to perMessageGroupId',
    ],
    [!isEncrypted(queue), 'queue.url is not encrypted at rest: messages hold the paths of secrets; turn SSE on'],
    [
      !isEncrypted(deadLetters),
      'queue.deadLetterUrl is not encrypted at rest: letters hold the paths of secrets; turn SSE on',
    ],
  ];
  return { errors: told(errors), warnings: told(warnings) };
}

const told = (checks: readonly [boolean, string][]): string[] =>
  checks.flatMap(([wrong, text]) => (wrong ? [text] : []));

const isFifo = (queue: QueueAttributes): boolean => queue['FifoQueue'] === 'true';

const isEncrypted = (queue: QueueAttributes): boolean =>
  queue['SqsManagedSseEnabled'] === 'true' || (queue['KmsMasterKeyId'] ?? '') !== '';

const retention = (key: string, queue: QueueAttributes): [boolean, string][] => [
  [
    Number(queue['MessageRetentionPeriod'] ?? 0) < RETENTION,
    `${key} keeps messages for less than 14 days: set MessageRetentionPeriod to ${RETENTION}`,
  ],
];

function redrivePolicy(text = ''): { deadLetterTargetArn: unknown; maxReceiveCount: number } | undefined {
  try {
    const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(text) as Record<string, unknown>;
    return { deadLetterTargetArn, maxReceiveCount: Number(maxReceiveCount) };
  } catch {
    return undefined;
  }
}
