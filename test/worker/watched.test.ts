import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { watched } from '../../src/worker/watched.ts';

async function* listing(error?: unknown) {
  yield 1;
  yield 2;
  if (error !== undefined) throw error;
}

t.test('a listing that breaks off for an outage makes its part suspect; the error goes on', async (t) => {
  const table: readonly [unknown, string[]][] = [
    [undefined, []],
    [new ReplicationError('source_unavailable', 'text'), ['vault']],
    [new ReplicationError('source_forbidden', 'text'), []],
    [new TypeError('text'), []],
  ];
  for (const [error, expected] of table) {
    const suspected: string[] = [];
    const seen: number[] = [];
    const gate = { suspect: async (part: string) => suspected.push(part) > 0 };
    const reading = (async () => {
      for await (const row of watched(gate, 'vault', listing(error))) seen.push(row);
    })();
    if (error === undefined) await reading;
    else await t.rejects(reading, error as Error);
    t.same([seen, suspected], [[1, 2], expected]);
  }
});
