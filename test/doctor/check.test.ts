import t from 'tap';
import { check, runChecks } from '../../src/doctor/check.ts';
import { ok } from '../../src/doctor/finding.ts';
import { ReplicationError } from '../../src/errors.ts';

const never = new Promise<never>(() => undefined);
/** Time that is up at once, or never. */
const limits = (isUp: boolean) => ({ within: 20_000, sleep: async () => (isUp ? undefined : never) });

t.test('findings come in the order of the list, each with its group', async (t) => {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const checks = [
    check(
      'vault',
      'slow',
      async (_: object) => opened,
      () => [ok('slow', 'a'), ok('slow', 'b')],
    ),
    check(
      'names',
      'fast',
      async (_: object) => open(),
      () => [ok('fast', 'c')],
    ),
  ];
  t.strictSame(await runChecks(checks, {}, limits(false)), [
    { group: 'vault', check: 'slow', state: 'ok', found: 'a' },
    { group: 'vault', check: 'slow', state: 'ok', found: 'b' },
    { group: 'names', check: 'fast', state: 'ok', found: 'c' },
  ]);
});

t.test('a check is given what was opened, and judges what it saw', async (t) => {
  const checks = [
    check(
      'aws',
      'double',
      async ({ n }: { n: number }) => n * 2,
      (twice) => [ok('double', `${twice}`)],
    ),
  ];
  t.match(await runChecks(checks, { n: 21 }, limits(false)), [{ found: '42' }]);
});

t.test('one that hangs or fails stops no other', async (t) => {
  const checks = [
    check(
      'vault',
      'hangs',
      async (_: object) => never,
      () => [],
    ),
    check(
      'audit',
      'known',
      async (_: object) => Promise.reject(new ReplicationError('source_unavailable', 'it is down')),
      () => [],
    ),
    check(
      'queue',
      'foreign',
      async (_: object) => Promise.reject(new TypeError('with a value in it')),
      () => [],
    ),
  ];
  const [hanging, ...failed] = await runChecks(checks, {}, limits(true));
  t.strictSame(hanging, { group: 'vault', check: 'hangs', state: 'not_checked', found: 'no answer within 20 s' });
  t.equal(failed.length, 2);
  const [known, foreign] = await runChecks(checks.slice(1), {}, limits(false));
  t.strictSame(known, { group: 'audit', check: 'known', state: 'not_checked', found: 'it is down' });
  t.match(foreign, { state: 'not_checked', found: /unexpected TypeError/ });
  t.notMatch(JSON.stringify(foreign), /with a value/);
});

t.test('the time limit goes with the check', async (t) => {
  let aborted = false;
  const sleep = async (_: number, signal: AbortSignal) => {
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    return never;
  };
  await runChecks(
    [
      check(
        'aws',
        'quick',
        async (_: object) => 1,
        () => [],
      ),
    ],
    {},
    { within: 1, sleep },
  );
  t.ok(aborted);
});
