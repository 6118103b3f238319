import t from 'tap';
import { createUnreadable } from '../../src/ingress/unreadable.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';

t.test('a connection of many lines and no entry is told of, one in a minute', async (t) => {
  const clock = manualClock();
  const { log, lines } = recordingLog();
  const connect = createUnreadable({ clock, log });
  const send = (count: number, { malformed } = connect()) => {
    for (let line = 0; line < count; line += 1) malformed(1);
  };
  send(99);
  send(99);
  t.same(lines, [], 'each connection has lines of its own');
  send(10_000);
  t.match(lines, [{ level: 'warn', event: 'audit.unreadable', text: /prefix/ }]);
  send(100);
  t.equal(lines.length, 1);
  await clock.advance(60_000);
  send(100);
  t.equal(lines.length, 2);
});

t.test('lines that are told of together count each', async (t) => {
  const { log, lines } = recordingLog();
  const { malformed } = createUnreadable({ clock: manualClock(), log })();
  malformed(99);
  t.equal(lines.length, 0);
  malformed(99);
  malformed(99);
  t.equal(lines.length, 1);
});

t.test('a connection that has sent an entry is never told of', async (t) => {
  const { log, lines } = recordingLog();
  const { malformed, entry } = createUnreadable({ clock: manualClock(), log })();
  for (let line = 0; line < 50; line += 1) malformed(1);
  entry();
  for (let line = 0; line < 1_000; line += 1) malformed(1);
  t.same(lines, []);
});
