import t from 'tap';
import { adoptCommand } from '../../src/commands/adopt.ts';
import { checkOwnershipLine } from '../../src/commands/ownership.ts';
import { releaseCommand } from '../../src/commands/release.ts';
import { ReplicationError } from '../../src/errors.ts';
import { lookAtBoth, type Order } from '../../src/replicate/look-at.ts';
import type { SecretRef } from '../../src/replicate/ref.ts';
import { createReplicator } from '../../src/replicate/replicate.ts';
import { createRoutes } from '../../src/replicate/routes.ts';
import { manualClock } from '../fakes/clock.ts';
import { fakeSecretsManager } from '../fakes/secrets-manager.ts';
import { fakeSource } from '../fakes/source.ts';

const KV = { namespace: '', mount: 'kv' };
const ROUTES = [
  { ...KV, name: 'all', include: ['**'], exclude: ['hidden/**'], to: ['eu', 'us'], as: '{mount}/{path}' },
];
const at = (path: string): SecretRef => ({ ...KV, path });
const NAMES = ['eu', 'us'] as const;
const OWN = { vault: 'prod', tags: {}, versionTag: true, fresh: () => '0'.repeat(24) };

/** Two destinations and a person who answers `answer`. */
function house(answer = true) {
  const clock = manualClock();
  const vault = fakeSource(clock, KV);
  const routes = createRoutes(ROUTES, { eu: {}, us: { region: 'us-east-1' } }, 'kv/own');
  const [eu, us] = [fakeSecretsManager(), fakeSecretsManager()];
  const aws = { eu, us };
  const listed: Record<string, string[]> = { eu: [], us: [] };
  const questions: string[] = [];
  const ask = async (question: string) => questions.push(question) > 0 && answer;
  const copiesOf = (name: keyof typeof aws) =>
    async function* () {
      for (const copy of listed[name] ?? []) {
        if (copy === 'broken') throw new ReplicationError('destination_unavailable', 'ListSecrets failed');
        const { tags, description } = aws[name].secret(copy);
        yield { name: copy, tags: Object.fromEntries(tags), description };
      }
    };
  const places = new Map(
    NAMES.map((name) => [name, { ...aws[name], copies: copiesOf(name), versionTag: true }] as const),
  );
  const ends = new Map(
    NAMES.map((name) => {
      const look = (order: Order) => lookAtBoth({ ...OWN, clock, source: vault, destination: aws[name] }, order);
      return [name, { look }] as const;
    }),
  );
  const replicate = async (path: string, name: keyof typeof aws = 'eu') => {
    const run = createReplicator({ ...OWN, clock, source: vault, destination: aws[name] });
    return run({ ref: at(path), route: 'all', secretName: `kv/${path}`, hint: undefined }, () => undefined);
  };
  const progress: string[] = [];
  const meter = (what: string) => ({
    listed: (copies: number) => void progress.push(`${what}: listed ${copies}`),
    compared: () => void progress.push(what),
    crowded: () => undefined,
    end: () => void progress.push(`${what}: end`),
  });
  const run = async (
    command: 'adopt' | 'release',
    refs: readonly string[],
    more: { yes?: boolean; json?: boolean } = {},
  ) => {
    const [out, errors]: [string[], string[]] = [[], []];
    const streams = {
      write: (text: string) => void out.push(text),
      writeError: (text: string) => void errors.push(text),
    };
    const { yes = false, json = false } = more;
    const meters = { looking: meter('looking'), changing: meter('changing') };
    const shared = { refs, all: refs.length === 0, yes, json, routes, places, ask, ...meters, ...streams };
    const code = await (command === 'adopt'
      ? adoptCommand({ ...shared, source: vault, ends })
      : releaseCommand({ ...shared, vault: 'prod' }));
    return { code, out: out.join(''), errors: errors.join('') };
  };
  const tags = (name: string, where: keyof typeof aws = 'eu') => Object.fromEntries(aws[where].secret(name).tags);
  return { vault, eu, us, listed, questions, replicate, run, tags, routes, places, progress, meter };
}

t.test('one secret is adopted at one destination, and is then carried on', async (t) => {
  const { vault, eu, us, replicate, run, tags, questions } = house();
  vault.write(at('app'), '"canary"');
  eu.createByHand('kv/app', { tags: { version: '41' }, value: 'theirs' });
  us.createByHand('kv/app', { tags: { team: 'x' }, value: 'theirs' });
  await t.rejects(replicate('app'), { code: 'not_owned', message: /vaultferry adopt/ });
  const adopted = await run('adopt', ['kv/app']);
  t.same(adopted, { code: 0, out: 'adopted kv/app -> eu: kv/app\nadopted kv/app -> us: kv/app\n', errors: '' });
  t.same(questions, [], 'named ones need no question');
  t.equal(eu.current('kv/app'), 'theirs', 'the value is the worker’s');
  t.match(await replicate('app'), { outcome: 'updated' });
  t.equal(eu.current('kv/app'), '"canary"');
  t.match(tags('kv/app'), { version: '41', 'vaultferry:keeps': 'version' });
  t.match(await replicate('app', 'us'), { outcome: 'updated' });
  t.match(tags('kv/app', 'us'), { version: '1', team: 'x' });
  t.match(await run('adopt', ['kv/app']), { code: 0, out: /^already adopted kv\/app -> eu/ });
  t.same(eu.operations().slice(1, 4), ['describe', 'tag', 'describe'], 'looked at, tagged by ARN, looked at again');
});

t.test('what cannot be adopted is told, and the others are adopted', async (t) => {
  const { vault, eu, us, run } = house();
  for (const path of ['app', 'db']) vault.write(at(path), '1');
  eu.createByHand('kv/app').rotationEnabled = true;
  us.createByHand('kv/app');
  const { code, out, errors } = await run('adopt', ['kv/app', 'kv/none', 'other/x']);
  t.equal(code, 1);
  t.equal(out, 'adopted kv/app -> us: kv/app\n');
  t.match(errors, /kv\/app at eu: .*rotation.* \(rotation_enabled\)\n/);
  t.match(errors, /kv\/none at us: there is no secret kv\/none to adopt: .* \(not_owned\)\n/);
  t.match(errors, /other\/x: no route covers it/);
});

t.test('the secret with our own Vault credentials is never adopted', async (t) => {
  const { vault, eu, run, tags } = house();
  vault.write(at('own'), '1');
  eu.createByHand('kv/own');
  t.match(await run('adopt', ['kv/own']), { code: 1, out: '', errors: /kv\/own at eu: .* \(name_invalid\)/ });
  t.same(tags('kv/own'), {});
});

t.test('a secret re-created since the look is not hit, and one that changes hands meanwhile is told', async (t) => {
  const { vault, eu, run, tags } = house();
  vault.write(at('app'), '1');
  eu.createByHand('kv/app');
  eu.interpose('before', 'tag', () => {
    eu.remove('kv/app');
    eu.createByHand('kv/app', { tags: { new: 'x' } });
  });
  t.match(await run('adopt', ['kv/app']), { code: 1, errors: /eu: .* \(promotion_conflict\)/ });
  t.same(tags('kv/app'), { new: 'x' });
  eu.interpose('after', 'tag', () => void eu.secret('kv/app').tags.set('vaultferry:vault', 'stage'));
  t.match(await run('adopt', ['kv/app']), { code: 1, errors: /somebody else changed kv\/app meanwhile/ });
});

t.test('all that is taken in Vault’s names is adopted, once it is confirmed', async (t) => {
  const yes = house();
  for (const path of ['app', 'db', 'free']) yes.vault.write(at(path), '1');
  yes.eu.createByHand('kv/app');
  yes.us.createByHand('kv/db');
  yes.eu.createByHand('kv/unknown');
  t.match(await yes.run('adopt', []), {
    code: 0,
    out: 'adopted kv/app -> eu: kv/app\nadopted kv/db -> us: kv/db\n',
    errors: 'kv/app -> eu: kv/app\nkv/db -> us: kv/db\n',
  });
  t.same(yes.questions, ['Adopt 2 secrets?']);
  t.same(yes.tags('kv/unknown'), {});
  t.match(await yes.run('adopt', []), { code: 0, out: '' });
  t.same(yes.questions.length, 1, 'nothing to do is no question');
  const no = house(false);
  no.vault.write(at('app'), '1');
  no.eu.createByHand('kv/app');
  t.match(await no.run('adopt', []), { code: 1, out: '', errors: /nothing was changed/ });
  t.same(no.tags('kv/app'), {});
  t.match(await no.run('adopt', [], { yes: true, json: true }), { code: 0 });
  t.same(no.questions, ['Adopt 1 secret?']);
});

t.test('both show how far they are, in looking and in tagging', async (t) => {
  const { vault, eu, listed, run, progress } = house();
  for (const path of ['app', 'db']) vault.write(at(path), '1');
  for (const path of ['app', 'db']) eu.createByHand(`kv/${path}`);
  await run('adopt', [], { yes: true });
  const looked = ['looking: listed 1', 'looking: listed 1', 'looking', 'looking', 'looking: end'];
  const tagged = ['changing: listed 2', 'changing', 'changing', 'changing: end'];
  t.strictSame(progress.splice(0), [...looked, ...tagged]);
  listed['eu'] = ['kv/app', 'kv/db'];
  await run('release', [], { yes: true });
  t.strictSame(progress, ['looking', 'looking', 'looking: end', ...tagged]);
});

t.test('a released copy is written no more, until it is taken back', async (t) => {
  const { vault, eu, replicate, run, tags } = house();
  vault.write(at('app'), '1');
  await replicate('app');
  const { code, out, errors } = await run('release', ['kv/app'], { json: true });
  t.equal(code, 1);
  t.same(JSON.parse(out), {
    released: [{ ref: 'kv/app', destination: 'eu', secretName: 'kv/app' }],
    unchanged: [],
    refused: [
      { ref: 'kv/app', destination: 'us', secretName: 'kv/app', code: 'not_owned', why: 'there is no secret kv/app' },
    ],
    problems: [],
  });
  t.match(errors, /kv\/app at us: there is no secret/);
  t.same(tags('kv/app'), { 'vaultferry:released': 'kv/app' });
  vault.write(at('app'), '2');
  await t.rejects(replicate('app'), { code: 'released', treatment: 'permanent' });
  t.equal(eu.current('kv/app'), '1');
  t.match(await run('release', ['kv/app']), { out: 'already released kv/app -> eu: kv/app\n' });
  t.match(await run('adopt', ['kv/app']), { out: 'adopted kv/app -> eu: kv/app\n' });
  await replicate('app');
  t.equal(eu.current('kv/app'), '2');
  t.match(await run('release', ['other/x', 'kv/hidden/x']), {
    code: 1,
    errors: /other\/x: no route.*\nkv\/hidden\/x: no route/,
  });
});

t.test('a release that was cut short is refused already, and can be ended', async (t) => {
  const { vault, eu, replicate, run, tags } = house();
  vault.write(at('app'), '1');
  await replicate('app');
  eu.interpose('before', 'untag', () => {
    throw new ReplicationError('destination_unavailable', 'cut');
  });
  t.match(await run('release', ['kv/app']), { code: 1, errors: /cut \(destination_unavailable\)/ });
  t.match(tags('kv/app'), { 'vaultferry:released': 'kv/app', 'vaultferry:vault': 'prod' });
  vault.write(at('app'), '2');
  await t.rejects(replicate('app'), { code: 'released' });
  await run('release', ['kv/app']);
  t.same(tags('kv/app'), { 'vaultferry:released': 'kv/app' });
});

t.test('all copies of a vault are released, orphans too; a destination that cannot be listed is told', async (t) => {
  const { vault, eu, us, listed, replicate, run, tags, questions } = house();
  for (const path of ['app', 'hidden/db']) {
    vault.write(at(path), '1');
    await replicate(path);
  }
  eu.createByHand('kv/foreign', { tags: { 'vaultferry:vault': 'stage' } });
  eu.createByHand('kv/untold', { tags: { 'vaultferry:vault': 'prod' } });
  listed['eu'] = ['kv/app', 'kv/hidden/db', 'kv/untold'];
  listed['us'] = ['broken'];
  t.match(await run('release', []), {
    code: 1,
    out: ['kv/app', 'kv/hidden/db', 'kv/untold'].map((name) => `released ${name} -> eu: ${name}\n`).join(''),
    errors: /the copies at us cannot be listed: ListSecrets failed \(destination_unavailable\)/,
  });
  t.same(questions, ['Release 3 secrets?']);
  t.same(tags('kv/hidden/db'), { 'vaultferry:released': 'kv/hidden/db' });
  t.same(us.calls, []);
  t.match(await run('adopt', ['kv/app']), { code: 1, out: /adopted kv\/app -> eu/ });
});

t.test('a destination that was not opened is a fault of the program, told as one', async (t) => {
  const { vault, routes, places, meter } = house();
  vault.write(at('app'), '1');
  const errors: string[] = [];
  const streams = { write: () => undefined, writeError: (text: string) => void errors.push(text) };
  const said = { refs: ['kv/app'], all: false, yes: false, json: false, ask: async () => true };
  const meters = { looking: meter('looking'), changing: meter('changing') };
  t.equal(await adoptCommand({ ...said, ...meters, ...streams, routes, places, source: vault, ends: new Map() }), 1);
  t.match(errors.join(''), /kv\/app at eu: .* \(internal\)/);
});

t.test('of which secrets, and whether somebody can be asked', (t) => {
  const check = (operands: string[], all: boolean, yes: boolean, asks: boolean) => () =>
    checkOwnershipLine('adopt', { operands, all, yes }, asks);
  t.throws(check([], false, false, true), { name: 'UsageError', message: /takes REFs, or --all/ });
  t.throws(check(['kv/a'], true, true, true), { message: /takes REFs, or --all/ });
  t.throws(check([], true, false, false), { message: /add --yes/ });
  t.doesNotThrow(check([], true, true, false));
  t.doesNotThrow(check([], true, false, true));
  t.doesNotThrow(check(['kv/a'], false, false, false));
  t.end();
});
