import fc from 'fast-check';
import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { parkingDeduplicationId } from '../../src/queue/message.ts';
import type { Received } from '../../src/queue/ports.ts';
import { letter } from '../../src/worker/park.ts';

const TIME = '2026-11-24T21:40:57.000Z';
const message: Received = { id: 'm-1', receipt: 'r', body: '{"not":\u0007"json', group: 'g', receives: 7, sentAt: 0 };
const written = (text: string, ref?: string) => letter(message, new ReplicationError('not_owned', text), ref, TIME);

t.test('a letter is the message with its reason', async (t) => {
  t.same(written('taken by somebody', 'team-a:kv/app'), {
    body: message.body,
    group: 'm-1',
    deduplicationId: parkingDeduplicationId('m-1', 7),
    attributes: { code: 'not_owned', text: 'taken by somebody', ref: 'team-a:kv/app', receives: '7', time: TIME },
  });
});

t.test('a message that nobody could read has no ref', async (t) => {
  t.same(Object.keys(written('text').attributes ?? {}), ['code', 'text', 'receives', 'time']);
});

t.test('attribute names and values are such as SQS takes', async () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 2_000, size: 'max' });
  fc.assert(
    fc.property(text, text, (why, ref) =>
      Object.entries(written(why, ref).attributes ?? {}).every(
        ([name, value]) =>
          /^(?!aws\.|amazon\.)[A-Za-z0-9_-]{1,256}$/i.test(name) &&
          value.length <= 1_000 &&
          /^[\x20-\x7E\xA0-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u.test(value),
      ),
    ),
  );
});

t.test('control characters are %-escaped, and the percent itself', async (t) => {
  const table: Readonly<Record<string, string>> = {
    'kv/a b': 'kv/a b',
    'é😀': 'é😀',
    '100%': '100%25',
    'a\nb\tc\0': 'a%0Ab%09c%00',
    '\u007F\u0085': '%7F%C2%85',
    '\uFFFE\uFFFF': '%EF%BF%BE%EF%BF%BF',
    'a\uD800': 'a%EF%BF%BD',
  };
  for (const [plain, escaped] of Object.entries(table)) {
    t.match(written(plain, plain).attributes, { text: escaped, ref: escaped }, escaped);
  }
});

t.test('a long text ends after 1,000 characters, never within one', async (t) => {
  t.equal(written('x'.repeat(2_000)).attributes?.['text'], 'x'.repeat(1_000));
  const ref = `${'x'.repeat(999)}😀`;
  t.equal(written('text', ref).attributes?.['ref'], 'x'.repeat(999));
  t.equal(written('text', `${'x'.repeat(998)}😀y`).attributes?.['ref'], `${'x'.repeat(998)}😀`);
});
