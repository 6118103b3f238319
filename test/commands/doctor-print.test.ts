import t from 'tap';
import { doctorJson, doctorText } from '../../src/commands/doctor-print.ts';
import type { Diagnosis } from '../../src/doctor/finding.ts';

const findings: readonly Diagnosis[] = [
  { group: 'names', check: 'collisions', state: 'warning', found: 'c', mend: 'd' },
  { group: 'vault', check: 'server', state: 'ok', found: 'it\u001b[2J is there' },
  { group: 'vault', check: 'tök', state: 'failure', found: 'gone', mend: 'put\none' },
  { group: 'audit', check: 'devices', state: 'not_checked', found: 'unknown' },
];

t.test('for people', async (t) => {
  t.equal(
    doctorText(findings, false),
    [
      'Vault',
      '  ok           server      it\\u001b[2J is there',
      '  failure      tök         gone',
      '                           -> put\\u000aone',
      '',
      'Audit devices',
      '  not checked  devices     unknown',
      '',
      'Names',
      '  warning      collisions  c',
      '                           -> d',
      '',
      '1 ok, 1 warning, 1 failure, 1 not checked',
      '',
    ].join('\n'),
  );
  t.equal(doctorText([], false), '0 ok, 0 warnings, 0 failures, 0 not checked\n');
});

t.test('colours change nothing else', async (t) => {
  const coloured = doctorText(findings, true);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are made of them
  const colours = /\u001b\[\d+m/g;
  t.equal(coloured.replace(colours, ''), doctorText(findings, false));
  for (const [state, colour] of [
    ['ok         ', 32],
    ['warning    ', 33],
    ['failure    ', 31],
    ['not checked', 2],
  ]) {
    t.ok(coloured.includes(`\u001b[${colour}m${state}\u001b[0m`), `${state}`);
  }
});

t.test('for scripts', async (t) => {
  const { checks, summary } = JSON.parse(doctorJson(findings));
  t.strictSame(checks[1], { group: 'vault', check: 'server', state: 'ok', found: 'it\u001b[2J is there', mend: null });
  t.strictSame(checks[2].mend, 'put\none');
  t.strictSame(summary, { ok: 1, warnings: 1, failures: 1, notChecked: 1 });
});
