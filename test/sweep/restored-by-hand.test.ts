import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { encodeMessage, parseMessage, type SweepMessage, sweepGroup } from '../../src/queue/message.ts';
import { TAG_ABSENT } from '../../src/replicate/tags.ts';
import { approvalRequests } from '../../src/sweep/approvals.ts';
import { createSweepServer } from '../../src/sweep/requests.ts';
import { sweep } from '../../src/sweep/sweep.ts';
import { at, house, route, VAULT } from './house.ts';

const PATHS = ['a', 'b', 'c', 'd', 'e'];

/** Five copies that are held at `eu`, and a worker's server of sweeps; nothing can be listed at `us`, so that gaps remain. */
async function heldHouse() {
  const world = house({ routes: [route('kv', ['eu', 'us'])], deletion: {} });
  const { source, queue, clock, options, ending, ends, run, work } = world;
  const { log } = options;
  for (const path of PATHS) source.write(at(path), '{"k":1}');
  await run();
  await work();
  for (const path of PATHS) source.purge(at(path));
  await run();
  await work();
  await clock.advance(20 * 60_000);
  world.listings['us'] = async function* () {
    yield* [];
    throw new ReplicationError('destination_unavailable', 'no answer');
  };
  const again: string[] = [];
  const serve = createSweepServer(
    {
      ...{ inbox: queue.inbox, clock, log, visibility: 30_000, every: 3_600_000, minGap: 0 },
      ...{ waitsFor: () => undefined, onceUp: () => undefined, metrics: { swept: () => undefined } },
      again: (reason) => again.push(reason),
      run: (order, signal) => sweep(options, order, signal),
    },
    ending.signal,
  );
  /** Sends the requests, and lets the server have what the queue has of them. */
  const ask = async (bodies: readonly string[]) => {
    await clock.advance(2_000);
    for (const [index, body] of bodies.entries()) {
      await queue.publisher.send([{ body, group: sweepGroup(VAULT), deduplicationId: `${clock.now()}-${index}` }]);
    }
    const received = await queue.inbox.receive(10, 0);
    const requests = received.map((one) => ({ received: one, message: parseMessage(one.body, VAULT) as SweepMessage }));
    const { acknowledge } = await serve(requests);
    await queue.inbox.acknowledge(acknowledge);
  };
  const approvals = PATHS.map((path) => {
    const { tags, versions } = ends.eu.secret(`kv/${path}`);
    return { ref: `kv/${path}`, versionId: [...versions.keys()][0] ?? '', mark: tags.get(TAG_ABSENT) ?? '' };
  });
  return {
    ...{ ...world, again },
    approve: () => ask(approvalRequests(VAULT, approvals)),
    sweepAgain: () => ask([encodeMessage({ v: 1, kind: 'sweep', vault: VAULT, origin: 'gap', reason: 'unlisted' })]),
    scheduled: () => PATHS.filter((path) => ends.eu.secret(`kv/${path}`).scheduledForDeletion),
    restoreByHand() {
      for (const path of PATHS) ends.eu.secret(`kv/${path}`).scheduledForDeletion = false;
    },
  };
}

t.test('what was restored by hand is held again, until somebody approves it anew', async (t) => {
  const { approve, sweepAgain, scheduled, restoreByHand, again, lines } = await heldHouse();
  await approve();
  t.same([scheduled(), again], [PATHS, ['unlisted']]);
  restoreByHand();
  await sweepAgain();
  t.same(scheduled(), []);
  t.match(
    lines.findLast(({ event }) => event === 'sweep.deletions_held'),
    { destination: 'eu', count: 5 },
  );
  await approve();
  t.same(scheduled(), PATHS);
});

t.test('so is one whose deletion was not answered', async (t) => {
  const { approve, sweepAgain, scheduled, restoreByHand, ends } = await heldHouse();
  for (let number = 0; number < PATHS.length; number += 1) {
    ends.eu.interpose('after', 'delete', () => {
      throw new ReplicationError('destination_unavailable', 'no answer');
    });
  }
  await approve();
  t.same(scheduled(), PATHS);
  restoreByHand();
  await sweepAgain();
  t.same(scheduled(), []);
});
