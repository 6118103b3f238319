import { type Check, check } from './check.ts';
import { judgeAudit } from './checks/audit.ts';
import { judgeClocks } from './checks/clock.ts';
import { judgePermissions, judgePlaces } from './checks/destinations.ts';
import { judgeMounts } from './checks/mount.ts';
import { judgeNames } from './checks/names.ts';
import { judgeQueueCalls, judgeQueues } from './checks/queues.ts';
import { judgeServer } from './checks/server.ts';
import { judgeToken } from './checks/token.ts';
import type { Probes } from './visit.ts';

/** Every check of `vaultferry doctor`, in the order in which they are shown: what is asked, and what judges the answer. */
export const CHECKS: readonly Check<Probes>[] = [
  check('vault', 'server', ({ health }) => health(), judgeServer),
  check('vault', 'token', ({ token }) => token(), judgeToken),
  check('vault', 'policy', ({ mounts }) => mounts(), judgeMounts),
  check('audit', 'devices', ({ audit }) => audit(), judgeAudit),
  check('queue', 'attributes', ({ queues }) => queues(), judgeQueues),
  check('queue', 'permissions', ({ queueCalls }) => queueCalls(), judgeQueueCalls),
  check('aws', 'destinations', ({ places }) => places(), judgePlaces),
  check('aws', 'permissions', ({ permissions }) => permissions(), judgePermissions),
  check('clock', 'clocks', ({ clocks }) => clocks(), judgeClocks),
  check('names', 'collisions', ({ names }) => names(), judgeNames),
];
