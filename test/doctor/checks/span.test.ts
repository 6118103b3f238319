import t from 'tap';
import { span } from '../../../src/doctor/checks/span.ts';

t.test('lengths of time', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [-5, '0 s'],
    [0.9, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7_199, '119 min'],
    [7_200, '2 h'],
    [172_799, '47 h'],
    [172_800, '2 d'],
  ];
  for (const [seconds, text] of cases) t.equal(span(seconds), text);
});
