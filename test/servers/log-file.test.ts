import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { followLog } from './log-file.ts';

t.test('a log that does not exist yet has no lines', (t) => {
  t.strictSame(followLog(join(t.testdir({}), 'none.log')).lines(), []);
  t.end();
});

t.test('only whole lines written since the start are told, over cut characters too', (t) => {
  const path = join(t.testdir({ log: 'earlier\n' }), 'log');
  const log = followLog(path);
  const bytes = Buffer.from('one é\ntwo\nthr');
  appendFileSync(path, bytes.subarray(0, 5));
  t.strictSame(log.lines(), []);
  appendFileSync(path, bytes.subarray(5));
  t.strictSame(log.lines(), ['one é', 'two']);
  appendFileSync(path, 'ee\n');
  t.strictSame(log.lines(), ['one é', 'two', 'three']);
  t.end();
});
