import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import t, { type Test } from 'tap';
import { until } from '../servers/until.ts';
import { REPLICATOR } from './setting.ts';
import { readSource } from './source.ts';
import { askForSweep, setMarkBack, startWaylayer, sweepOnce } from './sweeping.ts';
import { isReady, startWorld } from './world.ts';

const ROUTE = { mount: 'kv', kvVersion: 2 } as const;
const GRACE_PASSED = 10 * 60_000;

const world = await startWorld({
  ferries: { door: { roles: ['ingress'], config: { vault: undefined } }, worker: { roles: ['worker'] } },
});
t.teardown(world.end);
const { aws, bao, copy, equal, ferries, write } = world;

const same = Array.from({ length: 12 }, (_, index) => `same/${index}`);
const kept = ['stale', 'edited', 'soft', 'purged', 'back', 'scheduled', 'tagged'];
const gone = ['soft', 'purged', 'expires'];

const ask = async (method: string, path: string, body?: unknown) => {
  const { status } = await bao.request(method, `kv/${path}`, body);
  if (status >= 400) throw new Error(`OpenBao answered ${status} to ${method} kv/${path}`);
};
const isMarked = ({ tags }: { tags: Readonly<Record<string, string>> }) => 'vaultferry:absent' in tags;
const arnOf = async (path: string) => (await copy(`kv/${path}`)).arn;

/** Another worker in place of the one before, with this laid over its configuration. */
async function withWorker(config: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv = {}) {
  await ferries.get('worker').stop();
  await ferries.start('worker', { roles: ['worker'], config, env });
  await isReady(world, 'worker');
}

/** What is pushed before the ingress goes down; each is whole at both ends. */
async function pushed() {
  for (const path of [...same, ...kept, 'orphan/one']) await write(path);
  await ask('POST', 'metadata/expires', { delete_version_after: '4s' });
  await write('expires');
  await copy('kv/expires');
  await equal([...same, ...kept, 'orphan/one']);
  await ask('DELETE', 'data/back');
  await copy('kv/back', isMarked);
}

/** What nobody sees: the ingress is down. */
async function hidden() {
  for (const path of ['stale', 'missing', 'foreign']) await write(path);
  await ask('DELETE', 'data/soft');
  await ask('DELETE', 'metadata/purged');
  await ask('PUT', 'undelete/back', { versions: [1] });
  const secret = { SecretString: 'by hand' };
  await aws.secrets.send(new PutSecretValueCommand({ SecretId: await arnOf('edited'), ...secret }));
  await aws.secrets.send(new CreateSecretCommand({ Name: 'kv/foreign', ...secret }));
  await aws.secrets.send(new DeleteSecretCommand({ SecretId: await arnOf('scheduled'), RecoveryWindowInDays: 7 }));
  const Tags = [{ Key: 'version', Value: '7' }];
  await aws.secrets.send(new TagResourceCommand({ SecretId: await arnOf('tagged'), Tags }));
  await until(async () => (await readSource(bao, { mount: 'kv', path: 'expires' })) === undefined, {
    what: 'the secret to expire',
  });
}

t.test('one sweep finds each kind of drift that the push has not seen, and nothing else', async (t) => {
  await pushed();
  await world.settled();
  await ferries.kill('door');
  await hidden();
  await withWorker({ routes: [{ ...ROUTE, exclude: ['orphan/**'] }] });
  const orphan = await aws.copy('kv/orphan/one');
  const { finished, enqueued, asked } = await sweepOnce(world, 'worker');

  const drifted = ['back', 'edited', 'expires', 'missing', 'purged', 'scheduled', 'soft', 'stale', 'tagged'];
  t.strictSame(enqueued, drifted, 'what is in sync, foreign or an orphan is not enqueued');
  const drift = {
    ...{ stale: 1, edited_by_hand: 1, missing: 1, conflict: 1, tags_differ: 1, orphan: 1 },
    not_marked: 3,
  };
  const found = { ...drift, scheduled_for_deletion: 1, wrongly_marked: 1, in_sync: same.length };
  t.match(finished, { result: 'complete', enqueued: drifted.length, deleted: 0, held: {}, failed: [], down: [] });
  t.strictSame(finished['found'], { default: { ...(finished['found'] as { default: object }).default, ...found } });
  t.equal(Object.keys((finished['found'] as { default: object }).default).length, Object.keys(found).length);
  t.ok(Number(finished['oldestDriftSeconds']) > 0);

  const read = asked.flatMap(({ path }) => (path.startsWith('kv/data/') ? [path.slice('kv/data/'.length)] : []));
  t.ok(
    read.every((path) => drifted.includes(path)),
    'no value of what is unchanged is read',
  );

  await equal(['back', 'edited', 'missing', 'scheduled', 'stale', 'tagged', ...same]);
  for (const path of gone) t.ok(isMarked(await copy(`kv/${path}`)), path);
  t.notOk(isMarked(await copy('kv/back')));
  t.match(await copy('kv/tagged'), { tags: { version: '1' } });
  t.match(await copy('kv/foreign'), { value: 'by hand', tags: {} });
  t.strictSame(await aws.copy('kv/orphan/one'), orphan);
  t.strictSame(await aws.letters(), [], 'what nobody can mend stands in the report alone');

  const { body } = await ferries.ask('worker', 'admin', '/metrics');
  for (const [kind, count] of Object.entries({ ...drift, scheduled_for_deletion: 1, wrongly_marked: 1 })) {
    t.match(body, `vaultferry_drift_secrets{destination="default",kind="${kind}"} ${count}\n`);
  }
  t.notMatch(body, 'kind="in_sync"');
  t.match(body, `vaultferry_oldest_drift_seconds ${String(finished['oldestDriftSeconds'])}\n`);
});

/** The mount's entry before and after, what is tried in vain, and the token behind each refusal. */
const A_FEW = 12;
const FOLDERS = 3;

t.test('what is in sync costs no message, no value and no write; the rest is reported again', async (t) => {
  for (const way of ['plain', 'detailed'] as const) {
    if (way === 'detailed') {
      const { body } = await bao.request('GET', `sys/policies/acl/${REPLICATOR}`);
      const { policy } = (body as { data: { policy: string } }).data;
      const more = `${policy}\npath "kv/detailed-metadata/*" { capabilities = ["list", "scan"] }`;
      await bao.request('PUT', `sys/policies/acl/${REPLICATOR}`, { policy: more });
      await withWorker({ routes: [{ ...ROUTE, exclude: ['orphan/**'] }] });
    }
    const { finished, enqueued, calls, asked } = await sweepOnce(world, 'worker');
    const secrets = same.length + 10;
    t.strictSame(enqueued, [], way);
    t.match(finished, {
      ...{ result: 'complete', enqueued: 0 },
      found: { default: { conflict: 1, orphan: 1, absent_marked: 3, in_sync: same.length + 6 } },
    });
    t.notOk(asked.some(({ path }) => path.startsWith('kv/data/')));
    const most = way === 'plain' ? secrets + FOLDERS + A_FEW : secrets / 100 + FOLDERS + A_FEW;
    t.ok(asked.length <= most, `${asked.length} requests to OpenBao, ${way}`);
    t.notOk(
      calls.some(({ operation }) => /^(Put|Create|Update|Tag|Untag|Restore|Delete)(Secret|Resource)/.test(operation)),
    );
  }
});

// From here on, copies of what is gone are deleted. Two at once may go; more must be approved.
const DELETING = {
  destinations: {
    default: {
      onDelete: 'schedule',
      deletion: { grace: '5m', recoveryWindow: '9d', maxPerSweep: 2, maxShare: '100%' },
    },
  },
};

const isScheduled = async (path: string) => (await copy(`kv/${path}`)).scheduledForDeletion;

t.test(
  'a copy whose grace has passed is scheduled for deletion, by its ARN, and comes back with the next write',
  async (t) => {
    await withWorker(DELETING);
    t.match((await sweepOnce(world, 'worker')).finished, { deleted: 0, held: {} }, 'no grace has passed');
    await setMarkBack(world, 'kv/soft', GRACE_PASSED);
    const arn = await arnOf('soft');
    const { finished, calls, asked } = await sweepOnce(world, 'worker');
    t.match(finished, { deleted: 1, held: {}, enqueued: 0 });
    t.strictSame(await Promise.all(gone.map(isScheduled)), [true, false, false]);

    const at = calls.findIndex(({ operation }) => operation === 'DeleteSecret');
    t.strictSame(calls[at]?.request, { SecretId: arn, RecoveryWindowInDays: 9 });
    t.equal(calls.filter(({ operation }) => operation === 'DeleteSecret').length, 1);
    const kept = calls.slice(0, at).findLast(({ operation }) => operation.startsWith('ChangeMessageVisibility'));
    t.match(kept, { operation: 'ChangeMessageVisibility', request: { VisibilityTimeout: 60 } });
    t.equal(asked.filter(({ path }) => path === 'kv/data/soft').length, 2, 'before it and after it');

    t.match((await sweepOnce(world, 'worker')).finished, { deleted: 0, enqueued: 0 }, 'it stays so');
    await write('soft');
    t.strictSame((await sweepOnce(world, 'worker')).enqueued, ['soft']);
    await equal(['soft']);
    t.notOk(isMarked(await copy('kv/soft')));
  },
);

/** Deletes secrets, lets a sweep mark their copies, and sets the marks back; the marks by path. */
async function longGone(paths: readonly string[]) {
  for (const path of paths) await write(path);
  await sweepOnce(world, 'worker');
  await equal(paths);
  for (const path of paths) await ask('DELETE', `data/${path}`);
  await sweepOnce(world, 'worker');
  const marks = new Map<string, string>();
  for (const path of paths) {
    await copy(`kv/${path}`, isMarked);
    marks.set(path, await setMarkBack(world, `kv/${path}`, GRACE_PASSED));
  }
  return marks;
}

t.test('more than the guard lets go are held, and done when an operator approves each', async (t) => {
  const many = Array.from({ length: 6 }, (_, index) => `many/${index}`);
  const marks = await longGone(many);
  const { finished, lines } = await sweepOnce(world, 'worker');
  t.match(finished, { deleted: 0, held: { default: 6 } });
  const held = lines.find(({ event }) => event === 'sweep.deletions_held');
  t.match(held, { destination: 'default', count: 6, refs: { length: 6 } });
  const refs = (held?.['refs'] ?? []) as readonly string[];
  t.strictSame(
    refs.toSorted(),
    many.map((path) => `kv/${path}`),
  );
  const { body } = await ferries.ask('worker', 'admin', '/metrics');
  t.match(body, 'vaultferry_drift_secrets{destination="default",kind="deletion_held"} 6\n');

  const approvals = await Promise.all(
    many.map(async (path) => {
      const { versionId = '' } = await copy(`kv/${path}`);
      return { ref: `kv/${path}`, versionId, mark: marks.get(path) ?? '' };
    }),
  );
  const [first, second, third, fourth] = approvals;
  if (!first || !second || !third || !fourth) throw new Error('there must be six');
  const wrong = [
    { ...third, mark: third.mark.replace(/^\d+/, '1999') },
    { ...fourth, versionId: first.versionId },
  ];
  const some = await sweepOnce(world, 'worker', [first, second, ...wrong]);
  t.match(some.finished, { deleted: 2, held: { default: 4 } });
  t.strictSame(await Promise.all(many.map(isScheduled)), [true, true, false, false, false, false]);

  t.match((await sweepOnce(world, 'worker', approvals.slice(2))).finished, { deleted: 4, held: {} });
  t.strictSame(
    await Promise.all(many.map(isScheduled)),
    many.map(() => true),
  );
});

t.test('a mark that outlives its version is not acted upon, but made anew', async (t) => {
  await longGone(['outlived']);
  const { arn } = await copy('kv/outlived');
  await aws.secrets.send(new PutSecretValueCommand({ SecretId: arn, SecretString: 'by hand' }));
  const { finished, enqueued } = await sweepOnce(world, 'worker');
  t.match(finished, { deleted: 0, held: {} });
  t.strictSame(enqueued, ['outlived']);
  const { versionId = '', scheduledForDeletion, tags } = await copy('kv/outlived');
  t.equal(scheduledForDeletion, false);
  const [time = '', id] = tags['vaultferry:absent']?.split(' ') ?? [];
  t.equal(id, versionId);
  t.ok(Date.now() - Date.parse(time) < 60_000, 'its grace begins again');
});

t.test('a secret that is back at the last moment keeps its copy', async (t: Test) => {
  await longGone(['late']);
  let writes = 0;
  const waylayer = await startWaylayer(world.recorder.endpoint, 'DeleteSecret', async () => {
    writes += 1;
    await write('late');
  });
  t.teardown(waylayer.close);
  await withWorker(DELETING, { AWS_ENDPOINT_URL_SECRETS_MANAGER: waylayer.endpoint });
  const { finished, lines } = await sweepOnce(world, 'worker');
  t.equal(writes, 1);
  t.match(finished, { deleted: 0 });
  const outcomes = lines.filter(({ event, ref }) => event === 'secret.replicated' && ref === 'kv/late');
  t.strictSame(
    outcomes.map(({ outcome }) => outcome),
    ['deleted', 'restored'],
  );
  t.match(await copy('kv/late'), { scheduledForDeletion: false });
  t.strictSame((await sweepOnce(world, 'worker')).enqueued, ['late']);
  await equal(['late']);
});

t.test('a sweep whose worker is killed in the middle of it is run by the next one', async (t) => {
  await write('killed');
  let reached = (): void => undefined;
  const inTheMiddle = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let isArmed = false;
  const waylayer = await startWaylayer(world.recorder.endpoint, 'ListSecrets', async () => {
    if (!isArmed) return;
    reached();
    await new Promise(() => undefined);
  });
  t.teardown(waylayer.close);
  await withWorker({}, { AWS_ENDPOINT_URL_SECRETS_MANAGER: waylayer.endpoint });
  isArmed = true;
  const reason = await askForSweep(world);
  await inTheMiddle;
  await ferries.kill('worker');
  const other = await ferries.start('other', { roles: ['worker'] });
  const finished = await other.waitForLog((line) => line['event'] === 'sweep.finished', 45_000);
  t.match(finished, { reason, result: 'complete' });
  await equal(['killed']);
  await world.settled();
});

t.test('nothing was parked, and no value stands where it should not', async (t) => {
  t.strictSame(await aws.letters(), []);
  t.strictSame(await world.leaks(), []);
});
