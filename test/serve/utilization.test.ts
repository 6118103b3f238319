import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { createUtilization } from '../../src/serve/utilization.ts';

t.test(
  'a loop that works is busy, one that waits is not; each answer is for the time since the last new one',
  async (t) => {
    const utilization = createUtilization();
    const end = performance.now() + 50;
    await delay(1);
    while (performance.now() < end);
    const busy = utilization();
    t.equal(utilization(), busy, 'a moment says nothing');
    await delay(50);
    const idle = utilization();
    t.ok(busy > idle, 'the first stretch was spent at work, the second in waiting');
    t.ok(busy <= 1 && idle >= 0);
  },
);
