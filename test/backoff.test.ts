import fc from 'fast-check';
import t from 'tap';
import { backoff } from '../src/backoff.ts';

t.test('doubles from one second to half a minute', async (t) => {
  t.same(
    [1, 2, 3, 4, 5, 6, 7, 50, 5000].map((failures) => backoff(failures, 0)),
    [1, 2, 4, 8, 16, 30, 30, 30, 30],
  );
});

t.test('chance adds up to half as long again', async (t) => {
  t.same(
    [1, 2, 3, 4, 5, 6].map((failures) => backoff(failures, 0.999)),
    [1, 3, 6, 12, 24, 45],
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (n, random) => {
        const seconds = backoff(n, random);
        return Number.isInteger(seconds) && seconds >= backoff(n, 0) && seconds <= Math.round(backoff(n, 0) * 1.5);
      },
    ),
  );
});
