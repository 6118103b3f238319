import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { newestVersion } from '../../src/replicate/source.ts';
import { momentOf, versionId } from '../../src/replicate/version-id.ts';
import type { Operation } from '../fakes/secrets-manager.ts';
import { KV, NAME, REF, world } from './world.ts';

t.test('a new secret is created with its tags, its description and its version', async (t) => {
  const { vault, aws, run, written } = world({ tags: { team: 'x' } });
  const version = vault.write(REF, '{"a":1}');
  t.same(await run(), { outcome: 'created', behindHint: false, wentBack: false });
  const secret = aws.secret(NAME);
  t.same([...secret.versions.keys()], [versionId(REF, version)]);
  t.equal(aws.current(NAME), '{"a":1}');
  t.equal(secret.description, NAME);
  t.same(Object.fromEntries(secret.tags), {
    'vaultferry:vault': 'prod',
    'vaultferry:source': NAME,
    'vaultferry:route': 'all',
    'vaultferry:mount': 'kv_00000001 v2',
    version: '1',
    team: 'x',
  });
  t.same(aws.operations(), ['describe', 'create']);
  t.same(written, ['created 1']);
});

t.test('a change is put under our label, then promoted, then tagged', async (t) => {
  const { vault, aws, run, written } = world();
  const first = vault.write(REF, '1');
  await run();
  const second = vault.write(REF, '2');
  t.equal((await run()).outcome, 'updated');
  t.same(aws.operations().slice(2), ['describe', 'put', 'promote', 'tag']);
  t.same([...(aws.secret(NAME).versions.get(versionId(REF, second))?.labels ?? [])], ['VAULTFERRY', 'AWSCURRENT']);
  t.same([...(aws.secret(NAME).versions.get(versionId(REF, first))?.labels ?? [])], ['AWSPREVIOUS']);
  t.equal(aws.secret(NAME).tags.get('version'), '2');
  t.same(written, ['created 1', 'updated 2']);
});

t.test('a message that is delivered twice writes one version', async (t) => {
  const { vault, aws, run, written } = world();
  vault.write(REF, '1');
  await run();
  t.same(await run(), { outcome: 'unchanged', behindHint: false, wentBack: false });
  t.same(aws.operations(), ['describe', 'create', 'describe']);
  t.same(written, ['created 1']);
});

t.test('the destination is looked at before Vault is read', async (t) => {
  const { vault, aws, run } = world();
  vault.write(REF, '1');
  aws.interpose('after', 'describe', () => {
    t.same(vault.reads, []);
    vault.write(REF, '2');
  });
  await run();
  t.equal(aws.current(NAME), '2');
});

t.test('without the version tag only ownership is tagged', async (t) => {
  const { vault, aws, run } = world({ versionTag: false });
  vault.write(REF, '1');
  await run();
  vault.write(REF, '2');
  await run();
  t.notOk(aws.secret(NAME).tags.has('version'));
  t.same(aws.operations().slice(2), ['describe', 'put', 'promote']);
});

t.test('a tag that differs is drift', async (t) => {
  const { vault, aws, run, written } = world();
  vault.write(REF, '1');
  await run();
  aws.secret(NAME).tags.set('version', '7').set('theirs', 'kept');
  t.equal((await run()).outcome, 'retagged');
  t.equal(aws.secret(NAME).tags.get('version'), '1');
  t.equal(aws.secret(NAME).tags.get('theirs'), 'kept');
  t.same(written, ['created 1', 'retagged 1']);
});

t.test('a hand edit is put right from the version that is still there', async (t) => {
  const { vault, aws, run } = world();
  vault.write(REF, '1');
  await run();
  aws.edit(NAME, 'by hand');
  t.equal((await run()).outcome, 'promoted');
  t.same(aws.secret(NAME).history, ['1', 'by hand', '1']);
});

t.test('a secret without any value is given one', async (t) => {
  const { vault, aws, run } = world();
  vault.write(REF, '1');
  await run();
  aws.secret(NAME).versions.clear();
  t.equal((await run()).outcome, 'updated');
  t.equal(aws.current(NAME), '1');
});

t.test('a swap that is lost to another worker starts over from the look', async (t) => {
  const { vault, aws, run, worker, written } = world();
  vault.write(REF, '1');
  await run();
  vault.write(REF, '2');
  aws.interpose('before', 'promote', async () => {
    vault.write(REF, '3');
    await worker()();
  });
  t.equal((await run()).outcome, 'unchanged', 'the other one was newer');
  t.same(aws.secret(NAME).history, ['1', '3']);
  t.same(written, ['created 1'], 'what took no effect is not told');
});

t.test('a swap that is lost to a hand is won at the second look', async (t) => {
  const { vault, aws, run, written } = world();
  vault.write(REF, '1');
  await run();
  vault.write(REF, '2');
  aws.interpose('before', 'promote', () => aws.edit(NAME, 'by hand'));
  t.equal((await run()).outcome, 'promoted');
  t.same(aws.secret(NAME).history, ['1', 'by hand', '2']);
  t.same(written, ['created 1', 'promoted 2']);
});

t.test('two that create at once make one secret', async (t) => {
  const { vault, aws, run, worker } = world();
  vault.write(REF, '1');
  aws.interpose('before', 'create', async () => {
    vault.write(REF, '2');
    await worker()();
  });
  t.equal((await run()).outcome, 'unchanged');
  t.same(aws.secret(NAME).history, ['2']);
});

for (const unlabelled of ['gone', 'kept'] as const) {
  t.test(`a label that another put took away is no loss (unlabelled versions are ${unlabelled})`, async (t) => {
    const { vault, aws, run, worker } = world({ unlabelled });
    vault.write(REF, '1');
    await run();
    vault.write(REF, '2');
    const before = vault.snapshot();
    vault.write(REF, '3');
    aws.interpose('before', 'promote', async () => {
      vault.answerStale(before, 1);
      aws.interpose('before', 'promote', () => {
        throw new ReplicationError('destination_unavailable', 'the other worker dies here');
      });
      await t.rejects(worker()());
    });
    t.equal((await run()).outcome, 'updated');
    t.equal(aws.current(NAME), '3');
  });
}

t.test('what was read is acted upon for ten seconds, and looked at again later', async (t) => {
  for (const [stalled, reads] of [
    [10_000, 1],
    [10_001, 2],
  ] as const) {
    const { clock, vault, aws, run } = world();
    vault.write(REF, '1');
    await run();
    vault.write(REF, '2');
    const before = vault.reads.length;
    aws.interpose('before', 'promote', () => clock.stall(stalled));
    await run();
    t.equal(vault.reads.length - before, reads, `${stalled} ms`);
    t.equal(aws.operations().filter((operation) => operation === 'promote').length, 1, 'the late one was not sent');
    t.equal(aws.current(NAME), '2');
  }
});

t.test('tags and restore keep to the ten seconds too', async (t) => {
  const { clock, vault, aws, run, written } = world();
  vault.write(REF, '1');
  await run();
  aws.secret(NAME).tags.set('version', '7');
  aws.interpose('before', 'tag', () => clock.stall(10_001));
  await run();
  t.same(aws.operations().slice(2), ['describe', 'describe', 'tag']);
  aws.secret(NAME).scheduledForDeletion = true;
  aws.interpose('before', 'restore', () => clock.stall(10_001));
  await run();
  t.same(aws.operations().slice(5), ['describe', 'describe', 'restore', 'describe']);
  t.same(written, ['created 1', 'retagged 1', 'restored 1']);
});

t.test('the wall clock has no part in the ten seconds', async (t) => {
  const { clock, vault, aws, run } = world();
  vault.write(REF, '1');
  await run();
  vault.write(REF, '2');
  aws.interpose('before', 'promote', () => clock.setWall(3_600_000));
  await run();
  t.equal(vault.reads.length, 2);
});

t.test('a worker that stalls while others move on does not take AWSCURRENT back', async (t) => {
  for (const stalled of [0, 60_000]) {
    const { clock, vault, aws, run, worker } = world();
    vault.write(REF, '1');
    await run();
    vault.write(REF, '2');
    aws.interpose('before', 'put', async () => {
      vault.write(REF, '3');
      await worker()();
    });
    aws.interpose('before', 'promote', () => undefined); // the other worker's
    aws.interpose('before', 'promote', async () => {
      vault.write(REF, '4');
      await worker()();
      clock.stall(stalled);
    });
    await run();
    t.same(aws.secret(NAME).history, ['1', '3', '4'], `stalled for ${stalled} ms`);
  }
});

t.test('a copy that is scheduled for deletion is restored, then put', async (t) => {
  const { vault, aws, run, written } = world();
  vault.write(REF, '1');
  await run();
  vault.write(REF, '2');
  aws.secret(NAME).scheduledForDeletion = true;
  t.equal((await run()).outcome, 'updated');
  t.same(aws.operations().slice(2), ['describe', 'restore', 'describe', 'put', 'promote', 'tag']);
  t.same(written, ['created 1', 'restored 2', 'updated 2']);
  aws.secret(NAME).scheduledForDeletion = true;
  t.equal((await run()).outcome, 'restored', 'nothing else was to do');
});

t.test('a copy that is scheduled for deletion again and again is given up', async (t) => {
  const { vault, aws, run } = world();
  vault.write(REF, '1');
  await run();
  const schedule = () => {
    aws.secret(NAME).scheduledForDeletion = true;
    aws.interpose('before', 'describe', schedule);
  };
  schedule();
  await t.rejects(run(), { code: 'promotion_conflict', message: /kv\/app\/db/ });
  t.equal(aws.operations().filter((operation) => operation === 'restore').length, 5);
});

t.test('an absence is marked once, and the mark taken away when the secret is back', async (t) => {
  const { vault, aws, run, written } = world();
  const version = vault.write(REF, '1');
  await run();
  const mark = () => aws.secret(NAME).tags.get('vaultferry:absent');
  vault.delete(REF);
  t.equal((await run()).outcome, 'marked_absent');
  const deleted = await vault.read(REF);
  const deletionTime = deleted.kind === 'absent' ? deleted.deletionTime : undefined;
  t.equal(mark(), `2026-11-24T21:40:00.000Z ${versionId(REF, version)} ${deletionTime}`);
  t.equal((await run()).outcome, 'unchanged');
  vault.destroy(REF);
  t.equal((await run()).outcome, 'marked_absent');
  vault.purge(REF);
  t.equal((await run()).outcome, 'marked_absent');
  t.match(mark(), / purged$/);
  t.equal(aws.current(NAME), '1', 'the copy is kept');
  vault.write(REF, 'anew');
  t.equal((await run()).outcome, 'updated', 'version 1 again, but later');
  t.equal(mark(), undefined);
  vault.delete(REF);
  await run();
  vault.undelete(REF);
  t.equal((await run()).outcome, 'unmarked');
  t.equal(mark(), undefined);
  t.same(written.slice(1), [
    'marked_absent -',
    'marked_absent -',
    'marked_absent -',
    'updated 1',
    'marked_absent -',
    'unmarked 1',
  ]);
});

t.test('an absent secret without a copy leaves nothing', async (t) => {
  const { aws, run } = world();
  t.equal((await run()).outcome, 'unchanged');
  t.notOk(aws.has(NAME));
});

t.test('a mount that was enabled anew is another owner', async (t) => {
  const { vault, aws, run } = world();
  vault.write(REF, '1');
  await run();
  vault.disable(KV);
  await t.rejects(run(), { code: 'source_unavailable' });
  vault.enable(KV);
  await t.rejects(run(), { code: 'not_owned' }, 'the absence proves nothing');
  vault.write(REF, 'other');
  await t.rejects(run(), { code: 'not_owned' });
  t.same(aws.secret(NAME).history, ['1']);
});

t.test('a conflict is given up after five looks', async (t) => {
  for (const [conflicts, looks] of [
    [4, 5],
    [5, 5],
  ] as const) {
    const { vault, aws, run } = world();
    vault.write(REF, '1');
    await run();
    vault.write(REF, '2');
    for (let i = 0; i < conflicts; i += 1) aws.interpose('before', 'promote', () => aws.edit(NAME, `hand ${i}`));
    if (conflicts === 5) await t.rejects(run(), { code: 'promotion_conflict' });
    else t.equal((await run()).outcome, 'promoted');
    t.equal(aws.operations().filter((operation) => operation === 'describe').length - 1, looks);
  }
});

t.test('any other failure is thrown at once', async (t) => {
  const { vault, aws, run } = world();
  vault.disable(KV);
  await t.rejects(run(), { code: 'source_unavailable' });
  vault.enable(KV);
  aws.interpose('before', 'describe', () => {
    throw new TypeError('a fault of ours');
  });
  await t.rejects(run(), TypeError);
  t.same(aws.operations(), ['describe']);
});

t.test('an id that stands with other bytes is told, not overwritten', async (t) => {
  const { vault, aws, run } = world();
  vault.write(REF, '1');
  await run();
  const id = versionId(REF, vault.write(REF, '2'));
  aws.secret(NAME).versions.set(id, { value: 'other', createdAt: 0, labels: new Set() });
  await t.rejects(run(), { code: 'version_id_taken' });
  t.same(aws.secret(NAME).history, ['1']);
});

t.test('a name that is too long is refused before any call', async (t) => {
  const { vault, aws, run } = world();
  vault.write(REF, '1');
  await t.rejects(run({ secretName: 'x'.repeat(513) }), { code: 'name_invalid' });
  t.same([vault.reads, aws.calls], [[], []]);
  t.equal((await run({ secretName: 'x'.repeat(512) })).outcome, 'created');
});

t.test('65,536 bytes of UTF-8 are carried, one more is refused before any write', async (t) => {
  const { vault, aws, run } = world();
  const fits = `"${'é'.repeat(32_767)}"`;
  t.equal(Buffer.byteLength(fits), 65_536);
  vault.write(REF, `${fits} `);
  await t.rejects(run(), { code: 'value_too_large' });
  t.same(aws.operations(), ['describe']);
  vault.write(REF, fits);
  t.equal((await run()).outcome, 'created');
  vault.write(REF, `"${'é'.repeat(32_768)}"`);
  await t.rejects(run(), { code: 'value_too_large' });
  t.same(aws.secret(NAME).history, [fits]);
});

t.test('a long ref stands whole in the description, up to what AWS takes', async (t) => {
  for (const [length, kept] of [
    [2_000, 2_003],
    [3_000, 2_048],
  ] as const) {
    const { vault, aws, run } = world();
    const ref = { ...KV, path: 'p'.repeat(length) };
    vault.write(ref, '1');
    await run({ ref });
    t.equal(aws.secret(NAME).description.length, kept);
    t.equal((await run({ ref })).outcome, 'unchanged');
  }
});

/** A foreign secret takes the name at the worst moment; none of these calls may reach it. */
const WORST: readonly (readonly [Operation, (w: ReturnType<typeof world>) => void])[] = [
  ['create', ({ aws }) => aws.has(NAME) && aws.remove(NAME)],
  ['put', ({ vault }) => vault.write(REF, '2')],
  ['promote', ({ vault }) => vault.write(REF, '2')],
  ['promote', ({ aws }) => aws.edit(NAME, 'by hand')],
  ['tag', ({ vault }) => vault.write(REF, '2')],
  ['tag', ({ vault }) => vault.delete(REF)],
  ['untag', ({ aws }) => aws.secret(NAME).tags.set('vaultferry:absent', 'x')],
  [
    'restore',
    ({ aws }) => {
      aws.secret(NAME).scheduledForDeletion = true;
    },
  ],
];
for (const [operation, arrange] of WORST) {
  t.test(`a foreign secret that was created under the name before ${operation} is not touched`, async (t) => {
    const w = world();
    w.vault.write(REF, '1');
    await w.run();
    arrange(w);
    let reached = false;
    w.aws.interpose('before', operation, () => {
      reached = true;
      if (w.aws.has(NAME)) w.aws.remove(NAME);
      w.aws.createByHand(NAME, { tags: { theirs: 'kept' }, value: 'foreign' }).scheduledForDeletion =
        operation === 'restore';
    });
    const outcome = await w.run().then(
      ({ outcome: kind }) => kind,
      (error: ReplicationError) => error.code,
    );
    t.ok(reached);
    t.ok(['not_owned', 'unchanged', 'updated'].includes(outcome), outcome);
    const foreign = w.aws.secret(NAME);
    t.same(foreign.history, ['foreign']);
    t.equal(foreign.versions.size, 1);
    t.same(Object.fromEntries(foreign.tags), { theirs: 'kept' });
    t.equal(foreign.scheduledForDeletion, operation === 'restore');
  });
}

/** Every scenario has one run that writes; the calls that it sends are where it may crash. */
const SCENARIOS: Readonly<Record<string, (w: ReturnType<typeof world>) => void>> = {
  create: ({ aws }) => aws.remove(NAME),
  update: ({ vault }) => vault.write(REF, '2'),
  promote: ({ aws }) => aws.edit(NAME, 'by hand'),
  restore: ({ vault, aws }) => {
    vault.write(REF, '2');
    aws.secret(NAME).scheduledForDeletion = true;
  },
  mark: ({ vault }) => vault.purge(REF),
  unmark: ({ vault, aws }) => {
    aws.secret(NAME).tags.set('vaultferry:absent', 'x').set('version', '9');
    vault.undelete(REF);
  },
};
const CRASHES: readonly Operation[] = ['describe', 'create', 'put', 'promote', 'restore', 'tag', 'untag'];

for (const [scenario, arrange] of Object.entries(SCENARIOS)) {
  t.test(`a crash anywhere in ${scenario} is mended by the next receive`, async (t) => {
    let crashes = 0;
    for (const operation of CRASHES) {
      for (const when of ['before', 'after'] as const) {
        const w = world();
        w.vault.write(REF, '1');
        await w.run();
        arrange(w);
        w.aws.interpose(when, operation, () => {
          crashes += 1;
          throw new Error('crash');
        });
        await w.run().catch(() => undefined);
        await w.worker()();
        const title = `${when} ${operation}`;
        const source = await w.vault.read(REF);
        if (source.kind === 'present') t.equal(w.aws.current(NAME), source.value.reveal(), title);
        t.equal(w.aws.secret(NAME).tags.has('vaultferry:absent'), source.kind === 'absent', title);
        if (source.kind === 'present')
          t.equal(w.aws.secret(NAME).tags.get('version'), `${newestVersion(source)?.version}`, title);
        const sent = w.aws.calls.length;
        await w.worker()();
        t.same(w.aws.operations().slice(sent), ['describe'], `${title}: nothing is left to do`);
      }
    }
    t.ok(crashes >= 4, `${crashes} crashes`);
  });
}

t.test('a write is told once, as soon as it took effect', async (t) => {
  const { vault, aws, run, written } = world();
  vault.write(REF, '1');
  await run();
  vault.write(REF, '2');
  aws.interpose('before', 'tag', () => {
    t.same(written, ['created 1', 'updated 2'], 'before the tags follow');
    throw new ReplicationError('promotion_conflict', 'once');
  });
  t.equal((await run()).outcome, 'retagged');
  t.same(written, ['created 1', 'updated 2', 'retagged 2']);
});

t.test('hints only compare: a newer answer than the event told of is as good', async (t) => {
  const { vault, run } = world();
  const hint = momentOf(vault.write(REF, '1'));
  vault.write(REF, '2');
  t.same(await run({ hint }), { outcome: 'created', behindHint: false, wentBack: false });
  t.same(await run({ hint }), { outcome: 'unchanged', behindHint: false, wentBack: false });
});
