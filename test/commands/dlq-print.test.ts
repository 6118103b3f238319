import t from 'tap';
import { letterJson, listed, shown, unreadLines } from '../../src/commands/dlq-print.ts';
import { FAILURES } from '../../src/errors.ts';
import { changeBody, held, SENT, SWEEP_BODY, unexplained } from '../dead-letters/letters.ts';

const NONE = { heldByOthers: 0, waiting: 0 };
const NOW = SENT + 3 * 60_000;

t.test('the list is aligned, and ends with what to do next', async (t) => {
  const letters = [
    held(changeBody('app/db'), { id: '01234567-1' }),
    held('unreadable', { id: '11234567-1', code: 'message_malformed' }),
    unexplained(changeBody('app', { namespace: 'team-a' }), '21234567-1'),
    unexplained(SWEEP_BODY, '31234567-1'),
    unexplained('canary', '41234567-1'),
    held('unreadable', { id: '51234567-1', ref: 'kv/of old' }),
  ];
  t.strictSame(listed(letters, NONE, NOW), [
    'ID        AGE  CODE               RECEIVES  REF',
    '01234567  3 m  not_owned                 3  kv/app/db -> default',
    '11234567  3 m  message_malformed         3  (unreadable, 10 bytes)',
    '21234567  3 m  worker_died               -  team-a:kv/app -> default',
    '31234567  3 m  worker_died               -  (a request to sweep: gap)',
    '41234567  3 m  foreign                   -  (foreign, 6 bytes)',
    '51234567  3 m  not_owned                 3  kv/of old',
    '',
    '6 letters',
    'What each means and what to do:    vaultferry dlq show ID',
    'Once it is mended, send them back: vaultferry dlq redrive ID… | --code CODE | --all',
    'What nobody needs any more:        vaultferry dlq drop ID…',
  ]);
});

t.test('letters that could not be read are told of, and by whom they can be', async (t) => {
  t.same(listed([], NONE, NOW), ['no dead letters']);
  t.match(unreadLines({ heldByOthers: 3, waiting: 0 }), [/^3 more, held by another reader just now: /]);
  t.match(unreadLines({ heldByOthers: 0, waiting: 4 }), [/^4 more, not to be seen yet: .*ten of one group/]);
  t.match(listed([], { heldByOthers: 1, waiting: 2 }, NOW), [/^1 more/, /^2 more/]);
  t.match(listed([held(changeBody('a'))], { heldByOthers: 5, waiting: 0 }, NOW).slice(2), ['', '1 letter', /^5 more/]);
});

t.test('a letter is shown whole, with its meaning, the advice and what its body refers to', async (t) => {
  const body = changeBody('app/db', { version: 3, requestId: 'r-1' });
  const text = shown(held(body, { code: 'value_too_large', text: 'too large' }), NOW).join('\n');
  const { meaning, advice } = FAILURES.value_too_large;
  for (const said of [
    meaning,
    advice,
    'too large',
    'aaaaaaaa-1',
    'kv/app/db',
    '2026-11-24T21:40:57.000Z (3 m ago)',
    'r-1',
  ]) {
    t.ok(text.includes(said), said);
  }
  t.match(text, /^receives before +3$/m);
  t.match(text, /^ {2}version +3$/m);
  t.match(text, new RegExp(`^body +${body.length} bytes$`, 'm'));
});

t.test('of a foreign letter only the size is shown', async (t) => {
  const letter = unexplained('canary\u001B[2J');
  t.match(shown(letter, NOW).join('\n'), /^body +10 bytes, not shown$/m);
  for (const said of [shown(letter, NOW), listed([letter], NONE, NOW), letterJson(letter)]) {
    t.notMatch(JSON.stringify(said), /canary/);
  }
});

t.test('fields of the body that are not ours are not shown', async (t) => {
  const body = JSON.stringify({ ...JSON.parse(changeBody('app')), password: 'canary' });
  for (const said of [shown(held(body), NOW), letterJson(held(body))])
    t.notMatch(JSON.stringify(said), /canary|password/);
});

t.test('nothing that a letter holds can steer a terminal', async (t) => {
  const evil = 'a\u001B[2J\u009B\u202Eb\nc';
  const letters = [
    held(changeBody(evil, { destination: evil }), { text: evil, id: `01234567${evil}` }),
    held('x', { ref: evil }),
  ];
  for (const line of [...listed(letters, NONE, NOW), ...letters.flatMap((letter) => shown(letter, NOW))]) {
    t.notMatch(line, /[\p{Cc}\p{Cf}]/u);
  }
});

t.test('a letter as JSON', async (t) => {
  const letter = held(changeBody('app', { version: 3 }));
  t.same(JSON.parse(JSON.stringify(letterJson(letter))), {
    ...{ id: 'aaaaaaaa-1', kind: 'parked', code: 'not_owned', text: 'taken', ref: 'kv/app', receives: 3 },
    ...{ time: '2026-11-24T21:40:57.000Z', sentAt: '2026-11-24T21:41:00.000Z', bytes: letter.bytes },
    message: {
      kind: 'change',
      vault: 'vault',
      namespace: '',
      mount: 'kv',
      path: 'app',
      route: 'kv',
      destination: 'default',
      origin: 'audit',
      version: 3,
    },
  });
  t.same(Object.keys(JSON.parse(JSON.stringify(letterJson(unexplained('x'))))), [
    'id',
    'kind',
    'code',
    'sentAt',
    'bytes',
  ]);
});
