import fc from 'fast-check';
import t from 'tap';
import { readLetter } from '../../src/dead-letters/letter.ts';
import {
  change,
  changeBody,
  held,
  PARKED,
  parkedLetter,
  received,
  SENT,
  SWEEP_BODY,
  unexplained,
  VAULT,
} from './letters.ts';

t.test('a parked letter says all that the worker wrote', async (t) => {
  const body = changeBody('app/db', { version: 3 });
  t.strictSame(held(body, { text: '100 % of\n"it"', ref: 'of old' }), {
    ...{ id: 'aaaaaaaa-1', kind: 'parked', code: 'not_owned', text: '100 % of\n"it"', ref: 'kv/app/db', receives: 3 },
    ...{ time: PARKED, sentAt: SENT, bytes: body.length, message: change('app/db', { version: 3 }), body },
  });
});

t.test('one whose body nobody can read is still parked, and keeps its ref where it has one', async (t) => {
  const { kind, code, message, ref, bytes } = held('é', { code: 'message_malformed', ref: 'kv/50%' });
  t.strictSame(
    { kind, code, message, ref, bytes },
    { kind: 'parked', code: 'message_malformed', message: undefined, ref: 'kv/50%', bytes: 2 },
  );
  t.notOk('ref' in held('{', { code: 'message_malformed' }));
});

t.test("another Vault's letter is parked, and its message is not ours", async (t) => {
  t.match(held(changeBody('a', { vault: 'other' }), { ref: 'kv/a' }), {
    kind: 'parked',
    ref: 'kv/a',
    message: undefined,
  });
});

t.test('text and ref come back as they were before the parking', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(text, text, (why, ref) => {
      const letter = held('x', { text: why, ref });
      return letter.text === why && letter.ref === ref;
    }),
  );
});

t.test('our shape without a code killed its workers', async (t) => {
  const body = changeBody('app');
  t.strictSame(unexplained(body), {
    ...{ id: 'aaaaaaaa-1', kind: 'worker_died', code: 'worker_died', sentAt: SENT, bytes: body.length },
    ...{ ref: 'kv/app', message: change('app'), body },
  });
  t.match(unexplained(SWEEP_BODY), { kind: 'worker_died', message: { kind: 'sweep' }, ref: undefined });
  t.match(readLetter(received(body, { attributes: { trace: 'x' } }), VAULT), { kind: 'worker_died' });
});

t.test('anything else is foreign, and nothing of it is kept but its size', async (t) => {
  const { attributes = {} } = parkedLetter('x');
  const bare = { id: 'aaaaaaaa-1', kind: 'foreign', code: 'foreign', sentAt: SENT };
  for (const body of ['canary', '{}', '{"v":2}', changeBody('a', { vault: 'other' })]) {
    t.strictSame(readLetter(received(body), VAULT), { ...bare, bytes: body.length });
  }
  const halves = [
    { code: 'not_owned' },
    { ...attributes, code: 'Not Ours\u001B[2J' },
    { ...attributes, code: '' },
    { ...attributes, time: 'noon' },
    { ...attributes, receives: '-1' },
  ];
  for (const some of halves) {
    const body = changeBody('a');
    t.strictSame(
      readLetter(received(body, { attributes: some }), VAULT),
      { ...bare, bytes: body.length },
      JSON.stringify(some),
    );
  }
  const { text: _, ...textless } = attributes;
  t.match(readLetter(received('x', { attributes: textless }), VAULT), { kind: 'parked', text: '' });
});
