import t from 'tap';
import { createStrikes } from '../../src/worker/strikes.ts';

t.test('three copies that fail in a row are an outage, one that fails three times is not', async (t) => {
  const strikes = createStrikes();
  t.same(
    ['a', 'a', 'a', 'b', 'a', 'b'].map((copy) => strikes.add('x', copy)),
    [false, false, false, false, false, false],
  );
  t.equal(strikes.add('y', 'c'), false, 'each part by itself');
  t.same(
    ['c', 'a', 'd', 'a'].map((copy) => strikes.add('x', copy)),
    [true, true, true, true],
  );
});

t.test('a success ends the row', async (t) => {
  const strikes = createStrikes();
  for (const copy of ['a', 'b', 'c']) strikes.add('x', copy);
  strikes.clear('x');
  strikes.clear('never failed');
  t.equal(strikes.add('x', 'a'), false);
});
