import t from 'tap';
import { momentOf } from '../../src/replicate/version-id.ts';
import { NAME, REF, type World, world } from './world.ts';

const MANY = 1_000;
const SECOND = 1_000;
const STALE = { code: 'source_stale' };

/** Versions 1 and 2 are written; the copy stands at 2; `old` is a standby that has only seen 1. */
async function standby(): Promise<World & { readonly old: ReturnType<World['vault']['snapshot']> }> {
  const w = world();
  w.vault.write(REF, '1');
  await w.run();
  const old = w.vault.snapshot();
  w.clock.stall(SECOND);
  w.vault.write(REF, '2');
  await w.run();
  return { ...w, old };
}

t.test('an answer older than the copy is held', async (t) => {
  const { vault, aws, run, old } = await standby();
  vault.answerStale(old, 1);
  await t.rejects(run(), STALE);
  t.equal((await run()).outcome, 'unchanged');
  t.same(aws.secret(NAME).history, ['1', '2']);
});

t.test('it is believed after two minutes of nothing else, and that is reported', async (t) => {
  const { clock, vault, aws, run, old } = await standby();
  vault.answerStale(old, MANY);
  await t.rejects(run(), STALE);
  for (let i = 0; i < 4; i += 1) {
    clock.stall(29_999);
    await t.rejects(run(), STALE, `${i}`);
  }
  clock.stall(4);
  t.same(await run(), { outcome: 'promoted', behindHint: false, wentBack: true });
  t.same(aws.secret(NAME).history, ['1', '2', '1']);
  t.same(await run(), { outcome: 'unchanged', behindHint: false, wentBack: false });
});

t.test('one fresh answer between begins the two minutes anew', async (t) => {
  const { clock, vault, aws, run, old } = await standby();
  vault.answerStale(old, 1);
  await t.rejects(run(), STALE);
  clock.stall(119 * SECOND);
  await run();
  vault.answerStale(old, MANY);
  await t.rejects(run(), STALE);
  clock.stall(119 * SECOND);
  await t.rejects(run(), STALE);
  t.same(aws.secret(NAME).history, ['1', '2']);
});

t.test('each worker, and each secret, counts for itself', async (t) => {
  const { clock, vault, aws, run, worker, old } = await standby();
  vault.answerStale(old, MANY);
  await t.rejects(run(), STALE);
  clock.stall(121 * SECOND);
  await t.rejects(worker()(), STALE);
  const hint = { version: 9, time: '20991231T000000000000000Z' };
  t.match(await run({ secretName: 'another', hint }), { outcome: 'created', behindHint: true });
  t.same(aws.secret(NAME).history, ['1', '2']);
  t.equal((await run()).wentBack, true);
});

t.test('what is news is written though an event told of something newer, which stays to be seen', async (t) => {
  const { vault, aws, run } = world();
  vault.write(REF, '1');
  await run();
  vault.write(REF, '2');
  const old = vault.snapshot();
  const hint = momentOf(vault.write(REF, '3'));
  vault.answerStale(old, 2);
  t.same(await run({ hint }), { outcome: 'updated', behindHint: true, wentBack: false });
  t.same(await run({ hint }), { outcome: 'unchanged', behindHint: true, wentBack: false });
  t.same(await run({ hint }), { outcome: 'updated', behindHint: false, wentBack: false });
  t.same(aws.secret(NAME).history, ['1', '2', '3']);
});

t.test('an event that Vault never confirms is let go after two minutes', async (t) => {
  const { clock, vault, run } = world();
  vault.write(REF, '1');
  const hint = { version: 9, time: '20991231T000000000000000Z' };
  t.match(await run({ hint }), { outcome: 'created', behindHint: true });
  clock.stall(119 * SECOND);
  t.match(await run({ hint }), { outcome: 'unchanged', behindHint: true });
  clock.stall(SECOND);
  t.same(await run({ hint }), { outcome: 'unchanged', behindHint: false, wentBack: false });
});

t.test('an absence that the event does not know is held: the write may not have reached that node', async (t) => {
  const { clock, vault, aws, run } = world();
  const empty = vault.snapshot();
  const hint = momentOf(vault.write(REF, '1'));
  vault.answerStale(empty, 1);
  await t.rejects(run({ hint }), STALE);
  t.equal((await run({ hint })).outcome, 'created');
  vault.purge(REF);
  await t.rejects(run({ hint }), STALE);
  clock.stall(120 * SECOND);
  t.match(await run({ hint }), { outcome: 'marked_absent', wentBack: false });
  t.same(aws.secret(NAME).history, ['1']);
});

t.test('an absence after an event without a version is a purge, and believed at once', async (t) => {
  const { vault, run } = world();
  const hint = momentOf(vault.write(REF, '1'));
  await run({ hint });
  vault.purge(REF);
  t.match(await run({ hint, hintSuperseded: true }), { outcome: 'marked_absent', behindHint: false });
});

t.test('an event that was made up does not make old answers believed', async (t) => {
  const { clock, vault, aws, run, old } = await standby();
  const forged = { version: 9, time: '20991231T000000000000000Z' };
  t.match(await run({ hint: forged }), { behindHint: true });
  clock.stall(121 * SECOND);
  vault.answerStale(old, 1);
  await t.rejects(run({ hint: forged }), STALE);
  t.same(aws.secret(NAME).history, ['1', '2']);
});

t.test('once believed, the next old answers are counted anew', async (t) => {
  const { clock, vault, aws, run, old } = await standby();
  const unconfirmed = { version: 9, time: '20991231T000000000000000Z' };
  await run({ hint: unconfirmed });
  clock.stall(120 * SECOND);
  t.match(await run({ hint: unconfirmed }), { behindHint: false, wentBack: false });
  clock.stall(SECOND);
  const hint = momentOf(vault.write(REF, '3'));
  const sentAt = clock.now();
  vault.answerStale(old, 1);
  await t.rejects(run({ hint, sentAt }), STALE);
  t.equal((await run({ hint, sentAt })).outcome, 'updated');
  t.same(aws.secret(NAME).history, ['1', '2', '3']);
});

t.test('the events of one purged secret wait two minutes together, and one of a later write for itself', async (t) => {
  const { clock, vault, run } = world();
  const first = { hint: momentOf(vault.write(REF, '1')), sentAt: clock.now() };
  clock.stall(SECOND);
  const second = { hint: momentOf(vault.write(REF, '2')), sentAt: clock.now() };
  vault.purge(REF);
  await t.rejects(run(first), STALE);
  clock.stall(121 * SECOND); // no message was seen sooner than a second after it was sent
  t.match(await run(first), { outcome: 'unchanged' });
  t.match(await run(second), { outcome: 'unchanged' }, 'at once');
  const empty = vault.snapshot();
  const third = { hint: momentOf(vault.write(REF, '3')), sentAt: clock.now() };
  vault.answerStale(empty, 1);
  await t.rejects(run(third), STALE);
  t.match(await run(third), { outcome: 'created' });
});

t.test('after a believed answer, an event of the next write is waited for', async (t) => {
  const { clock, vault, run } = world();
  vault.write(REF, '1');
  const unconfirmed = { version: 9, time: '20991231T000000000000000Z' };
  await run({ hint: unconfirmed });
  clock.stall(120 * SECOND);
  await run({ hint: unconfirmed });
  const old = vault.snapshot();
  const hint = momentOf(vault.write(REF, '2'));
  const sentAt = clock.now();
  vault.answerStale(old, 1);
  t.match(await run({ hint, sentAt }), { outcome: 'unchanged', behindHint: true }, 'a standby answered');
  t.match(await run({ hint, sentAt }), { outcome: 'updated', behindHint: false });
});

t.test('a restored snapshot is followed, and later writes are news again', async (t) => {
  const { clock, vault, aws, run, old } = await standby();
  vault.restore(old);
  await t.rejects(run(), STALE);
  clock.stall(120 * SECOND);
  await run();
  vault.write(REF, 'after');
  t.match(await run(), { outcome: 'updated', wentBack: false });
  t.same(aws.secret(NAME).history, ['1', '2', '1', 'after']);
});

t.test('an absence after a restored snapshot is marked once, and in sync from then on', async (t) => {
  const w = world();
  w.vault.write(REF, '1');
  w.vault.delete(REF);
  const old = w.vault.snapshot();
  w.clock.stall(SECOND);
  w.vault.write(REF, '2');
  await w.run();
  w.vault.restore(old);
  await t.rejects(w.run(), STALE);
  w.clock.stall(120 * SECOND);
  t.match(await w.run(), { outcome: 'marked_absent' });
  for (let looks = 0; looks < 3; looks += 1) t.match(await w.run(), { outcome: 'unchanged' });
  const other = w.worker();
  t.match(await other(), { outcome: 'unchanged' }, 'nor does another worker hold it');
});
