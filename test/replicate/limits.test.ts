import t from 'tap';
import { createCopyCount } from '../../src/replicate/copy-count.ts';
import type { SecretRef } from '../../src/replicate/ref.ts';
import { manualClock } from '../fakes/clock.ts';
import { recordingLog } from '../fakes/log.ts';
import { KV, NAME, REF, type World, world } from './world.ts';

const nothing = async function* () {};
const counted = (max: number) => createCopyCount(nothing, max, manualClock());
const at = (path: string): SecretRef => ({ ...KV, path });
const runAt = ({ run }: World, path: string) => run({ ref: at(path), secretName: `kv/${path}` });

t.test('past maxSecrets nothing is created, and what is there is still kept up to date', async (t) => {
  const copies = counted(2);
  const house = world({ copies });
  for (const path of ['a', 'b', 'c']) house.vault.write(at(path), '1');
  await runAt(house, 'a');
  await runAt(house, 'b');
  await t.rejects(runAt(house, 'c'), {
    code: 'limit_reached',
    message:
      'no copy of kv/c is created, since the destination holds the 2 that destinations.*.maxSecrets allows: raise it (a copy costs about $0.40 a month), or narrow the route',
  });
  t.notOk(house.aws.has('kv/c'));
  house.vault.write(at('a'), '2');
  t.match(await runAt(house, 'a'), { outcome: 'updated' });
  copies.giveBack('kv/b');
  t.match(await runAt(house, 'c'), { outcome: 'created' });
});

t.test('a place is asked for only where a copy would be created', async (t) => {
  const taken: string[] = [];
  const take = async (name: string) => taken.push(name) > 0;
  const { run, vault, aws } = world({ copies: { max: 1, take, giveBack: () => undefined } });
  await run();
  vault.write(REF, 'x'.repeat(65_537));
  await t.rejects(run(), { code: 'value_too_large' });
  t.same(taken, [], 'neither of an absent secret nor of one that is refused');
  vault.write(REF, '1');
  await run();
  await run();
  vault.write(REF, '2');
  await run();
  t.same(taken, [NAME]);
  t.equal(aws.current(NAME), '2');
});

t.test(
  'the place of a creation that is refused for good is given back; of one that may have happened it is not',
  async (t) => {
    const copies = counted(1);
    const bad = world({ copies, tags: { 'aws:x': '' } });
    bad.vault.write(REF, '1');
    await t.rejects(bad.run(), { code: 'destination_rejected' });
    const good = world({ copies });
    good.vault.write(at('a'), '1');
    good.vault.write(at('b'), '1');
    good.aws.interpose('before', 'create', () => {
      throw new Error('down');
    });
    await t.rejects(runAt(good, 'a'), /down/);
    await t.rejects(runAt(good, 'b'), { code: 'limit_reached' });
    t.match(await runAt(good, 'a'), { outcome: 'created' });
  },
);

t.test('when counting took long, Vault is read again before the creation', async (t) => {
  const listing = async function* () {
    house.vault.write(REF, '2');
    house.clock.stall(11_000);
    yield { name: 'kv/other', scheduledForDeletion: false };
  };
  const house = world({ copies: createCopyCount(listing, 2, manualClock()) });
  house.vault.write(REF, '1');
  t.match(await house.run(), { outcome: 'created' });
  t.equal(house.aws.current(NAME), '2');
});

t.test('a name that ends like an ARN is warned about once, and carried', async (t) => {
  const { log, lines } = recordingLog();
  const house = world({ log });
  for (const path of ['app-abc123', 'plain']) house.vault.write(at(path), '1');
  await runAt(house, 'app-abc123');
  await runAt(house, 'app-abc123');
  await runAt(house, 'plain');
  t.match(lines, [{ level: 'warn', event: 'secret.name_ambiguous', secretName: 'kv/app-abc123', text: /hyphen/ }]);
  t.equal(lines.length, 1);
  t.equal(house.aws.current('kv/app-abc123'), '1');
});

t.test('of two secrets whose routes meet in one name, the first keeps it and the second is a conflict', async (t) => {
  const { vault, aws, run } = world();
  vault.enable({ namespace: '', mount: 'kv2' });
  const second = { namespace: '', mount: 'kv2', path: REF.path };
  vault.write(REF, '"first"');
  vault.write(second, '"second"');
  await run({ secretName: 'fixed/app/db' });
  const tags = [...aws.secret('fixed/app/db').tags];
  await t.rejects(run({ ref: second, route: 'other', secretName: 'fixed/app/db' }), { code: 'not_owned' });
  vault.purge(second);
  t.match(await run({ ref: second, route: 'other', secretName: 'fixed/app/db' }), { outcome: 'unchanged' });
  t.equal(aws.current('fixed/app/db'), '"first"');
  t.same([...aws.secret('fixed/app/db').tags], tags);
});
