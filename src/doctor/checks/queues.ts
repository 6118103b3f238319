import { checkQueues, type QueueAttributes } from '../../queue/check.ts';
import { type Finding, failure, notChecked, ok, warning } from '../finding.ts';

/** A queue's attributes, or the name of the error that stood in their place. */
export type QueueAnswer = { readonly attributes: QueueAttributes } | { readonly error: string };

export interface QueuesFacts {
  readonly url: string;
  readonly deadLetterUrl: string;
  readonly main: QueueAnswer;
  readonly deadLetters: QueueAnswer;
  readonly maxReceives: number;
  /** Milliseconds. */
  readonly visibility: number;
}

/** Are both queues there, and as the worker needs them? */
export function judgeQueues(facts: QueuesFacts): Finding[] {
  const { main, deadLetters, maxReceives, visibility } = facts;
  const findings = [answered('queue', 'queue.url', main), answered('dead letters', 'queue.deadLetterUrl', deadLetters)];
  if ('error' in main || 'error' in deadLetters) {
    return [...findings, notChecked('attributes', 'the attributes of both queues are needed for that')];
  }
  const { errors, warnings } = checkQueues(main.attributes, deadLetters.attributes, { maxReceives, visibility });
  const found = [
    ...errors.map((text) => told(failure, text, facts)),
    ...warnings.map((text) => told(warning, text, facts)),
  ];
  return [
    ...findings,
    ...(found.length > 0 ? found : [ok('attributes', 'FIFO, wired and encrypted as they should be')]),
  ];
}

function answered(check: string, key: string, answer: QueueAnswer): Finding {
  if ('error' in answer) return failure(check, `SQS answered ${answer.error} for ${key}`, errorMend(answer.error, key));
  return ok(check, `${answer.attributes['QueueArn'] ?? key}, ${count(answer.attributes)} waiting`);
}

const count = (attributes: QueueAttributes): string => attributes['ApproximateNumberOfMessages'] ?? '0';

function errorMend(error: string, key: string): string {
  if (isDenied(error)) return `allow sqs:GetQueueAttributes on the queue that ${key} names`;
  if (/QueueDoesNotExist|NonExistentQueue/.test(error)) return `create the queue, or mend ${key}`;
  return 'see that the AWS credentials, region and endpoint are right, and that SQS can be reached from here';
}

export const isDenied = (error: string): boolean => /^(AccessDenied|KmsAccessDenied)/.test(error);

/** What is wrong stands before the colon, what to do behind it; where one attribute does it, the command is told. */
function told(as: typeof failure, text: string, urls: Pick<QueuesFacts, 'url' | 'deadLetterUrl'>): Finding {
  const [found = text, mend = 'set it to that'] = text.split(/: (.*)/s);
  const attribute = attributeOf(mend);
  if (attribute === undefined) return as('attributes', found, mend);
  const url = found.includes('queue.deadLetterUrl') ? urls.deadLetterUrl : urls.url;
  return as('attributes', found, `aws sqs set-queue-attributes --queue-url ${url} --attributes ${attribute}`);
}

function attributeOf(mend: string): string | undefined {
  if (mend.endsWith('turn SSE on')) return 'SqsManagedSseEnabled=true';
  const [, name, value] = /^set ([A-Z]\w+) to (\w+)$/.exec(mend) ?? [];
  return name && `${name}=${value}`;
}

/** A call that SQS may have refused. `error` is undefined where it was carried out. */
export interface TriedCall {
  readonly call: string;
  readonly error: string | undefined;
}

/** What came of calls with a receipt that is none: everything but a refusal says that the call is allowed. */
export function judgeQueueCalls(calls: readonly TriedCall[]): Finding[] {
  return [
    ...calls.map(judgeCall),
    notChecked(
      'SendMessage, ReceiveMessage',
      'nothing but sending and taking a message would show it',
      'vaultferry replicate REF sends one, and a worker takes it',
    ),
  ];
}

function judgeCall({ call, error = '' }: TriedCall): Finding {
  if (isDenied(error))
    return failure(call, `refused (${error})`, `allow sqs:${call} on the queue to VaultFerry's role`);
  if (error === '' || /ReceiptHandle|InvalidParameter/.test(error)) return ok(call, 'allowed');
  return notChecked(call, `SQS answered ${error}`);
}
