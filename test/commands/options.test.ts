import t from 'tap';
import { readCommandLine } from '../../src/commands/options.ts';

t.test('a command line is read, with what was not said filled in', async (t) => {
  t.strictSame(readCommandLine(['dlq', 'redrive', '--code', 'internal', '--json', '--config', 'f']), {
    ...{ command: 'dlq', operands: ['redrive'], file: 'f', json: true, help: false, version: false },
    ...{ roles: new Set(['ingress', 'worker']), code: 'internal', all: false, yes: false },
    ...{ deep: false, dryRun: false, approveDeletes: false },
  });
  t.match(readCommandLine(['sweep', '--dry-run', '--deep']), { deep: true, dryRun: true, approveDeletes: false });
  t.match(readCommandLine(['sweep', '--approve-deletes', '--yes']), { approveDeletes: true, yes: true });
  t.strictSame(readCommandLine(['serve', '--role', 'worker', '--role', 'worker']).roles, new Set(['worker']));
  t.match(readCommandLine([]), { command: undefined, operands: [] });
  t.match(readCommandLine(['-h']), { help: true });
});

t.test('an option of another command, or of none, is refused', async (t) => {
  const table: readonly [string[], RegExp][] = [
    [
      ['replicate', 'kv/a', '--all'],
      /--all does not go with "replicate", but with dlq, adopt, release, plan and sweep/,
    ],
    [['plan', '--approve-deletes'], /but with sweep/],
    [['dlq', 'list', '--role', 'worker'], /--role does not go with "dlq", but with serve, config and policy/],
    [['serve', '--role', 'cook'], /--role cook: expected ingress or worker/],
    [['serve', '--nonsense'], /--nonsense/],
    [['dlq', '--code'], /--code/],
  ];
  for (const [args, message] of table) t.throws(() => readCommandLine(args), { name: 'UsageError', message });
});
