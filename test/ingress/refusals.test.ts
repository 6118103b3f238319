import t from 'tap';
import { createRefusals } from '../../src/ingress/refusals.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';

t.test('all are counted, and of each reason one a second is logged', async (t) => {
  const clock = manualClock();
  const { log, lines } = recordingLog();
  const counted: string[] = [];
  const refuse = createRefusals({ clock, log, onRefused: (reason) => counted.push(reason) });
  for (let times = 0; times < 3; times += 1) refuse('address', { remote: '192.0.2.7' });
  refuse('connections', { remote: '192.0.2.8' });
  await clock.advance(1_000);
  refuse('address', { remote: '192.0.2.9' });
  await clock.advance(1_000);
  refuse('address', { remote: '192.0.2.9' });
  t.same(counted, ['address', 'address', 'address', 'connections', 'address', 'address']);
  const line = { level: 'warn', event: 'audit.refused' };
  t.strictSame(lines, [
    { ...line, reason: 'address', remote: '192.0.2.7', text: 'not in ingress.allow' },
    { ...line, reason: 'connections', remote: '192.0.2.8', text: lines[1]?.['text'] },
    { ...line, reason: 'address', remote: '192.0.2.9', text: 'not in ingress.allow', more: 2 },
    { ...line, reason: 'address', remote: '192.0.2.9', text: 'not in ingress.allow' },
  ]);
  t.match(lines[1], { text: /ingress\.maxConnections/ });
});
