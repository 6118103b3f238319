import t from 'tap';
import { isRequestEntry } from '../../src/audit/request-entry.ts';

t.test('an entry from before the commit is known by its beginning or its end', async (t) => {
  for (const line of [
    '{"time":"2026-11-24T22:03:13.661438642Z","type":"request","auth":{}}',
    'prefix: {"time":"","type":"request","auth":{}}',
    '{"auth":{},"request":{},"time":"2026-11-24T22:03:13Z","type":"request"}',
  ]) {
    t.equal(isRequestEntry(Buffer.from(line)), true, line);
  }
});

t.test('the same bytes elsewhere may be a secret: the line is parsed', async (t) => {
  for (const line of [
    '',
    '{',
    '{"time":"',
    '{"time":"x"',
    '{"time":"x","type":"reques',
    'no object at all',
    '{"time":"x","type":"response","request":{"data":{"time":"x","type":"request"}}}',
    '{"request":{"data":{"x":1,"type":"request"}},"time":"x","type":"response"}',
    '{"request":{"data":{"x":1,"type":"request"}}}',
    '{"time":"x", "type":"request"}',
    '{"type":"request","time":"x"}',
    '{"time":"{\\"time\\":\\"x\\",\\"type\\":\\"request\\"}"}',
    '{"data":"x\\",\\"type\\":\\"request\\"}',
  ]) {
    t.equal(isRequestEntry(Buffer.from(line)), false, line);
  }
});
