import type { Inbox, Publisher } from '../../src/queue/ports.ts';
import { Sensitive } from '../../src/sensitive.ts';
import type { VaultClient } from '../../src/vault/client.ts';
import type { Secret } from '../fakes/account.ts';
import type { HttpAnswer } from '../fakes/kv.ts';
import type { FakeQueue } from '../fakes/queue.ts';
import type { Calls } from './calls.ts';
import { failures } from './faults.ts';
import type { Process } from './scheduler.ts';

/** What Vault's client, the AWS SDK and SQS give up after, in ms. */
const VAULT_LIMIT = 5_000;
const SQS_LIMIT = 8_000;
/** A long poll of an idle worker, stretched so that a quiet hour costs few steps, in seconds. */
const LONG_POLL = 60;
/** What an unanswered poll takes longer than it should: three attempts, in ms. */
const POLL_LIMIT = 30_000;

export interface Ends {
  readonly calls: Calls;
  /** A GET below /v1, answered by whichever node it meets. */
  readonly askVault: (caller: Process, path: string) => HttpAnswer;
  readonly onDescribed: (caller: Process, secret: Secret) => void;
  readonly onExtended: (caller: Process) => void;
  readonly onDeleteSent: (caller: Process, arn: string) => void;
  readonly listingLag: (secret: Secret) => number;
}

export const vaultClient = ({ calls, askVault }: Ends, caller: Process): VaultClient => ({
  request: ({ path }) =>
    calls.send(caller, {
      port: 'vault',
      operation: 'GET',
      about: path,
      failure: failures.vault,
      limit: VAULT_LIMIT,
      effect: () => {
        const { status, text } = askVault(caller, path);
        return { status, text: new Sensitive(text) };
      },
    }),
  close: () => undefined,
});

export function inbox({ calls, onExtended }: Ends, caller: Process, queue: Pick<FakeQueue, 'inbox'>): Inbox {
  const send = <T>(operation: string, about: string, effect: () => Promise<T>, limit?: number) =>
    calls.send(caller, { port: 'sqs', operation, about, failure: failures.sqs, effect, limit });
  const ids = (messages: readonly { readonly id: string }[]) =>
    messages.map(({ id }) => id.replace(/^message-0*/, '#')).join(' ');
  return {
    receive: (max, wait = LONG_POLL) =>
      send('receive', `${max}`, () => queue.inbox.receive(max, wait), wait * 1_000 + POLL_LIMIT),
    acknowledge: (messages) => send('acknowledge', ids(messages), () => queue.inbox.acknowledge(messages), SQS_LIMIT),
    hide: (messages, seconds) =>
      send('hide', `${ids(messages)} ${seconds} s`, () => queue.inbox.hide(messages, seconds), SQS_LIMIT),
    extend: (message, seconds) =>
      send('extend', ids([message]), () => queue.inbox.extend(message, seconds), SQS_LIMIT).then(() =>
        onExtended(caller),
      ),
    depth: () => send('depth', '', () => queue.inbox.depth(), SQS_LIMIT),
  };
}

export const publisher = (
  { calls }: Ends,
  caller: Process,
  name: string,
  queue: Pick<FakeQueue, 'publisher'>,
): Publisher => ({
  send: (batch) =>
    calls.send(caller, {
      port: 'sqs',
      operation: 'send',
      about: `${name} ${batch.map(({ body }) => body).join(' ')}`,
      failure: failures.sqs,
      limit: SQS_LIMIT,
      effect: () => queue.publisher.send(batch),
    }),
});
