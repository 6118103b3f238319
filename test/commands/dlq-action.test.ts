import t from 'tap';
import { checkNoQuestion, dlqAction } from '../../src/commands/dlq-action.ts';
import { UsageError } from '../../src/commands/usage-error.ts';

const NO = { all: false, yes: false };

t.test('what can be said', async (t) => {
  const table: readonly [string[], object, object][] = [
    [['list'], {}, { kind: 'list' }],
    [['show', 'abcdef'], {}, { kind: 'show', id: 'abcdef' }],
    [['drop', 'abcdef', 'abcdeg'], {}, { kind: 'drop', ids: ['abcdef', 'abcdeg'] }],
    [['drop', 'abcdef'], { yes: true }, { kind: 'drop', ids: ['abcdef'] }],
    [['redrive', 'abcdef'], {}, { kind: 'redrive', chosen: { by: 'ids', ids: ['abcdef'] } }],
    [['redrive'], { code: 'not_owned' }, { kind: 'redrive', chosen: { by: 'code', code: 'not_owned' } }],
    [['redrive'], { code: 'worker_died', yes: true }, { kind: 'redrive', chosen: { by: 'code', code: 'worker_died' } }],
    [['redrive'], { all: true }, { kind: 'redrive', chosen: { by: 'all' } }],
  ];
  for (const [operands, options, action] of table) t.same(dlqAction(operands, { ...NO, ...options }), action);
});

t.test('what cannot', async (t) => {
  const table: readonly [string[], object, RegExp][] = [
    [[], {}, /list, show ID, redrive or drop/],
    [['lsit'], {}, /list, show ID, redrive or drop/],
    [['list', 'abcdef'], {}, /no operand, but got "abcdef"/],
    [['list'], { yes: true }, /--yes goes with/],
    [['list'], { all: true }, /--all goes with dlq redrive/],
    [['drop', 'abcdef'], { code: 'not_owned' }, /--code goes with dlq redrive/],
    [['drop'], { all: true }, /--all goes with dlq redrive/],
    [['drop'], {}, /at least one ID/],
    [['show'], {}, /one ID/],
    [['show', 'abcdef', 'abcdeg'], {}, /one ID/],
    [['show', 'abcde'], {}, /"abcde": .*first 6 characters/],
    [['drop', 'abcdef', ''], { yes: true }, /first 6 characters/],
    [['redrive'], {}, /one of these/],
    [['redrive', 'abcdef'], { all: true }, /one of these/],
    [['redrive'], { all: true, code: 'not_owned' }, /one of these/],
    [['redrive'], { code: 'Not-Owned' }, /--code Not-Owned: a code is of lower-case letters/],
  ];
  for (const [operands, options, why] of table) {
    t.throws(
      () => dlqAction(operands, { ...NO, ...options }),
      { name: 'UsageError', message: why },
      operands.join(' '),
    );
  }
});

t.test('without a terminal only what asks needs --yes', async (t) => {
  for (const chosen of [
    { by: 'ids', ids: [] },
    { by: 'code', code: 'internal' },
  ] as const) {
    t.doesNotThrow(() => checkNoQuestion({ kind: 'redrive', chosen }));
  }
  t.doesNotThrow(() => checkNoQuestion({ kind: 'list' }));
  t.throws(
    () => checkNoQuestion({ kind: 'drop', ids: ['abcdef'] }),
    new UsageError('dlq drop asks before it acts, and here is no terminal to ask on: add --yes'),
  );
  t.throws(() => checkNoQuestion({ kind: 'redrive', chosen: { by: 'all' } }), {
    message: /^dlq redrive --all asks .*--yes$/,
  });
});
