import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { at, route } from '../sweep/house.ts';
import { comparingHouse } from './comparing-house.ts';

const CANARY = 'canary-5e1f';
const value = (more: Readonly<Record<string, unknown>> = {}) => JSON.stringify({ password: CANARY, ...more });
const secretsOf = (json: { secrets: { ref: string; action: string; state: string }[] }) =>
  json.secrets.map(({ ref, action, state }) => `${ref} ${action} ${state}`);

t.test('nothing there, and all in sync', async (t) => {
  const { source, plan, planText, run, work } = comparingHouse();
  t.match(await planText(), { code: 0, text: /^no secrets\n\n0 secrets would be created; \$0\.00 a month now/ });
  source.write(at('a'), value());
  await run();
  await work();
  t.match(await plan(), { code: 0, json: { secrets: [], actions: { eu: { in_sync: 1 } } } });
  t.match(await plan({ all: true }), { code: 0, json: { secrets: [{ ref: 'kv/a', action: 'in_sync' }] } });
  t.equal((await planText({ all: true })).text.split('\n')[1], 'in sync   kv/a    eu              v1    v1  -');
});

/** A world with each kind of drift that the listings show. */
async function drifted() {
  const world = comparingHouse({ routes: [route('kv', ['eu'], { exclude: ['orphan'] })] });
  const { source, ends, run, work, clock } = world;
  const { eu } = ends;
  for (const path of ['same', 'stale', 'edited', 'gone', 'back', 'scheduled', 'tags', 'rotated'])
    source.write(at(path), value());
  eu.createByHand('kv/foreign', { value: 'theirs' });
  eu.createByHand('kv/orphan', { value: 'x', tags: { 'vaultferry:vault': 'vault', 'vaultferry:source': 'kv/orphan' } });
  source.write(at('foreign'), value());
  await run();
  await work();
  source.delete(at('back'));
  await run();
  await work();
  source.undelete(at('back'));
  await clock.advance(60_000);
  source.write(at('stale'), value({ added: CANARY }));
  eu.edit('kv/edited', JSON.stringify({ password: `${CANARY}-other`, gone: CANARY }));
  source.delete(at('gone'));
  eu.secret('kv/scheduled').scheduledForDeletion = true;
  eu.secret('kv/tags').tags.delete('team');
  eu.secret('kv/rotated').rotationEnabled = true;
  source.write(at('new'), value());
  return world;
}

t.test('what a sweep would do, for each kind of drift', async (t) => {
  const { plan, source, queue } = await drifted();
  const { length } = source.reads;
  const { code, json } = await plan();
  t.equal(code, 3);
  t.same(secretsOf(json), [
    ...['kv/back unmark wrongly_marked', 'kv/edited update edited_by_hand', 'kv/foreign adopt conflict'],
    ...['kv/gone mark not_marked', 'kv/new create missing', 'kv/orphan orphan orphan', 'kv/rotated conflict conflict'],
    ...['kv/scheduled restore scheduled_for_deletion', 'kv/stale update stale', 'kv/tags retag tags_differ'],
  ]);
  const of = (ref: string) => json.secrets.find((one: { ref: string }) => one.ref === ref);
  t.match(of('kv/stale'), {
    vaultVersion: 2,
    replicatedVersion: 1,
    keys: { added: ['added'], removed: [], changed: [] },
  });
  t.match(of('kv/stale'), { since: '2026-11-24T21:41:00.000Z', code: null, notCompared: null, deletion: null });
  t.match(of('kv/edited'), { keys: { added: [], removed: ['gone'], changed: ['password'] } });
  t.match(of('kv/foreign'), { code: 'not_owned', why: /vaultferry adopt/, keys: null });
  t.match(of('kv/rotated'), { code: 'rotation_enabled' });
  t.same(source.reads.slice(length).sort(), ['kv/edited', 'kv/stale'], 'only what is to be updated is read');
  t.same(
    queue.sent.filter(({ body }) => body.includes('kv/new')),
    [],
  );
  t.match(json.copies.eu, { beyondLimit: 0 });
});

t.test('the same as a table', async (t) => {
  const { planText } = await drifted();
  const { code, text } = await planText();
  t.equal(code, 3);
  t.equal(
    text.replace(/: of its tags.*/, ' …').replace(/, so that two.*/, ' …'),
    `ACTION    SECRET        DESTINATION  VAULT  COPY  SINCE
create    kv/new        eu              v1     -  0 s
update    kv/edited     eu              v1     -  1 m
          AWSCURRENT stands at a version that is not from Vault
          removed: gone; changed: password
update    kv/stale      eu              v2    v1  0 s
          added: added
restore   kv/scheduled  eu              v1    v1  1 m
mark      kv/gone       eu              v1    v1  0 s
unmark    kv/back       eu              v1    v1  1 m
retag     kv/tags       eu              v1    v1  1 m
adopt     kv/foreign    eu              v1     -  1 m
          the secret kv/foreign exists and is not this copy of kv/foreign …
conflict  kv/rotated    eu              v1    v1  1 m
          the secret kv/rotated has rotation enabled …
orphan    kv/orphan     eu               -     -  -

1 to create, 2 to update, 1 to restore, 1 to mark as absent, 1 to unmark, 1 to retag, 1 to adopt, 1 in conflict, 1 without a route, 1 in sync

1 secret would be created; $3.20 a month now, $4.00 then ($0.40 a copy)
eu: 8 copies now, 10 then
us: 0 copies now, 0 then
`,
  );
});

t.test('no value is ever told', async (t) => {
  for (const deep of [false, true]) {
    const { plan, planText, shown } = await drifted();
    const told = [await plan({ deep, all: true }), await planText({ deep, all: true }), shown];
    t.notMatch(JSON.stringify(told), new RegExp(CANARY));
  }
});

const only = (json: { secrets: readonly Record<string, unknown>[] }) => json.secrets[0];

/** One secret in sync, and then whatever `change` does. */
async function one(change: (world: ReturnType<typeof comparingHouse>) => void, text = value()) {
  const world = comparingHouse();
  world.source.write(at('a'), text);
  await world.run();
  await world.work();
  change(world);
  return world;
}

t.test('values that cannot be compared: why', async (t) => {
  const forbidden = new ReplicationError('destination_forbidden', 'GetSecretValue was refused');
  const throttled = new ReplicationError('destination_throttled', 'too many');
  const failing = (error: unknown) => async () => {
    throw error;
  };
  const cases = [
    [failing(forbidden), /^needs secretsmanager:GetSecretValue, and kms:Decrypt/],
    [failing(throttled), /^too many \(destination_throttled\)$/],
    [failing(new RangeError(CANARY)), /^an unexpected RangeError/],
    [async () => undefined, /bytes/],
  ] as const;
  for (const [read, why] of cases) {
    const { plan, planText, compared } = await one(({ source }) => source.write(at('a'), value({ k: 2 })));
    Object.assign(compared.get('eu') ?? {}, { value: read });
    t.match(only((await plan()).json), { action: 'update', keys: null, notCompared: why });
    t.match((await planText()).text, /not compared: /);
  }
});

t.test('with a value that is no object, without one, and of one that only its order tells apart', async (t) => {
  const edited = async (text: string) => (await one(({ ends }) => ends.eu.edit('kv/a', text), '{"a":1,"b":2}')).plan();
  const none = { added: [], removed: [], changed: [] };
  const noObject = { action: 'update', keys: null, notCompared: /no JSON object/ };
  t.match(only((await edited('plain text')).json), noObject);
  t.match(only((await edited('{"b": 2, "a": 1}')).json), { keys: none });
  t.match(only((await edited('{"a":1.0,"b":2}')).json), { keys: { ...none, changed: ['a'] } });
  t.match(only((await edited('{"a":1,"b":2}')).json), { keys: null, notCompared: null }, 'equal, but by hand');
  const order = await one(({ ends }) => ends.eu.edit('kv/a', '{"b":2,"a":1}'), '{"a":1,"b":2}');
  t.match((await order.planText()).text, /no key differs: the order or the spelling does/);
  const plain = await one(({ ends }) => ends.eu.edit('kv/a', 'plain text'), '{"a":1,"b":2}');
  t.match((await plain.planText()).text, /not compared: one of the two values is no JSON object/);
  const empty = await one(({ ends }) => ends.eu.secret('kv/a').versions.clear());
  t.match(only((await empty.plan()).json), { state: 'no_value', action: 'update', notCompared: /no value/ });
});

t.test('many keys are cut in the table, and whole in JSON', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`key${index}`, index]));
  const { plan, planText } = await one(({ source }) => source.write(at('a'), value(many)));
  t.match((await planText()).text, /added: key0, key1, .*key9, 20 more\n/);
  t.equal((only((await plan()).json) as { keys: { added: string[] } }).keys.added.length, 30);
});

t.test('a listing that lags is no drift', async (t) => {
  const { plan, listings, ends, source, run, work } = await one(() => undefined);
  const before: unknown[] = [];
  for await (const copy of ends.eu.copies()) before.push(copy);
  source.write(at('a'), value({ k: 2 }));
  await run();
  await work();
  listings['eu'] = async function* () {
    yield* before as never[];
  };
  t.match(await plan(), { code: 0, json: { secrets: [], actions: { eu: { in_sync: 1 } } } });
});

t.test('--deep finds another value under the right version', async (t) => {
  const world = await one(({ ends }) => {
    for (const version of ends.eu.secret('kv/a').versions.values())
      Object.assign(version, { value: '{"password":"x"}' });
  });
  t.match(await world.plan(), { code: 0 });
  const { code, json } = await world.plan({ deep: true });
  t.equal(code, 3);
  t.match(only(json), { action: 'differs', state: 'in_sync', why: /once more/, keys: { changed: ['password'] } });
  t.match((await world.planText({ deep: true })).text, /differs .*\n.*the version at AWSCURRENT is the right one/);
  t.match(await (await one(() => undefined)).plan({ deep: true }), { code: 0, json: { secrets: [] } });
});

t.test('--deep: what could not be compared is not said to be in sync', async (t) => {
  const { plan, planText, compared, source } = await one(() => undefined);
  Object.assign(compared.get('eu') ?? {}, {
    value: async () => {
      throw new ReplicationError('destination_forbidden', 'refused');
    },
  });
  t.match(await plan({ deep: true }), { code: 3, json: { secrets: [{ action: 'in_sync', notCompared: /Get/ }] } });
  t.match((await planText({ deep: true })).text, /in sync .*\n +not compared: needs/);
  source.read = async () => {
    throw new ReplicationError('source_forbidden', 'the policy lacks a line');
  };
  t.match(only((await plan({ deep: true })).json), { notCompared: 'the policy lacks a line (source_forbidden)' });
});

t.test('KV v1 is looked at, since no listing tells', async (t) => {
  const world = comparingHouse();
  const { source, plan, planText, sweep, run, work, ends } = world;
  source.enable({ namespace: '', mount: 'kv' }, 1);
  source.write(at('a'), value());
  source.write(at('b'), value());
  t.match((await plan()).json.actions, { eu: { create: 2 } });
  await run();
  await work();
  for (const deep of [false, true])
    t.match(await plan({ deep }), { code: 0, json: { actions: { eu: { in_sync: 2 } } } });
  ends.eu.edit('kv/b', '{"password":"y"}');
  source.write(at('a'), value({ k: 1 }));
  t.match((await plan()).json.secrets, [
    { ref: 'kv/a', action: 'update', state: 'stale', keys: { added: ['k'] } },
    { ref: 'kv/b', action: 'update', state: 'edited_by_hand', keys: { changed: ['password'] } },
  ]);
  t.match(await sweep(), { code: 0, json: { enqueued: 2, secrets: [], actions: { eu: { unknown: 2 } } } });
  t.match((await world.sweepText()).text, /2 that only a look can tell/);
  source.read = async () => {
    throw new ReplicationError('source_unavailable', 'no answer');
  };
  t.match(await plan(), { code: 3, json: { secrets: [{ action: 'unknown', code: 'source_unavailable' }, {}] } });
  t.match((await planText()).text, /unknown .*\n +no answer \(source_unavailable\)\n[\s\S]*\n2 unknown\n/);
});

t.test('a name that can never be', async (t) => {
  const { source, plan } = comparingHouse();
  source.write(at('p'.repeat(600)), value());
  t.match(await plan(), { code: 3, json: { secrets: [{ action: 'refuse', state: 'refused', code: 'name_invalid' }] } });
});

t.test('gaps: told, and 3; where nothing could be listed, 1', async (t) => {
  const routes = [route('kv', ['eu', 'us']), route('other', ['us'])];
  const { source, plan, planText, listings } = comparingHouse({ routes, mounts: ['kv', 'other'] });
  t.match(await plan(), { code: 0 });
  source.disable({ namespace: '', mount: 'other' });
  const { code, json } = await plan();
  t.match({ code, json }, { code: 3, json: { gaps: [{ what: 'other', code: 'source_unavailable' }] } });
  t.match((await planText()).text, /not compared: other: .* \(source_unavailable\)/);
  const broken = async function* (): AsyncGenerator<never> {
    yield* [];
    throw new ReplicationError('destination_forbidden', 'ListSecrets was refused');
  };
  listings['eu'] = broken;
  t.match(
    (await plan()).json.gaps.map(({ what }: { what: string }) => what),
    ['other', 'destinations.eu'],
  );
  listings['us'] = broken;
  t.equal((await plan()).code, 1);
  source.disable({ namespace: '', mount: 'kv' });
  delete listings['us'];
  delete listings['eu'];
  t.equal((await plan()).code, 1);
});

t.test('a folder that the policy hides is a gap, and the rest is compared', async (t) => {
  const { source, plan } = comparingHouse();
  source.write(at('a'), value());
  const { survey } = source;
  const error = new ReplicationError('source_forbidden', 'the policy lacks a line');
  source.survey = async (mount, wanted) => ({
    ...(await survey(mount, wanted)),
    hidden: [{ what: 'folder', folder: 'team/', error }],
  });
  const { code, json } = await plan();
  t.match({ code, json }, { code: 3, json: { secrets: [{ ref: 'kv/a', action: 'create' }] } });
  t.strictSame(json.gaps, [{ what: 'kv/team/', code: 'source_forbidden', why: 'the policy lacks a line' }]);
});

t.test('deletions that are due go, or are held', async (t) => {
  const world = comparingHouse({ deletion: {} });
  const { source, plan, planText, run, work, clock } = world;
  for (const path of ['a', 'b', 'c']) source.write(at(path), value());
  await run();
  await work();
  source.delete(at('a'));
  await run();
  await work();
  t.match(await plan(), { code: 0, json: { actions: { eu: { in_sync: 3 } } } }, 'within the grace');
  await clock.advance(20 * 60_000);
  const due = await plan();
  t.match(due, { code: 3, json: { secrets: [{ ref: 'kv/a', action: 'delete', state: 'absent_marked' }] } });
  t.match(only(due.json), { deletion: { versionId: /^v1-/, absentSince: '2026-11-24T21:40:00.000Z' } });
  t.match(due.json, { copies: { eu: { now: 3, after: 2 } }, monthlyCost: { now: 1.2, after: 0.8, currency: 'USD' } });
  source.undelete(at('a'));
  await run();
  await work();
  for (const path of ['a', 'b']) source.delete(at(path));
  await run();
  await work();
  await clock.advance(20 * 60_000);
  t.match((await plan()).json.secrets, [{ action: 'held' }, { action: 'held' }]);
  t.match((await planText()).text, /held .* 20 m\n[\s\S]*2 held: vaultferry sweep --approve-deletes/);
  t.ok(world.ends.eu.operations().every((operation) => operation !== 'delete'));
});

t.test('of what is due, copies with replicas stay and hold up nobody else, as in the sweep', async (t) => {
  const { source, plan, planText, run, work, clock, ends } = comparingHouse({ deletion: {} });
  const paths = ['a', 'b', 'c', 'd'];
  for (const path of paths) source.write(at(path), value());
  await run();
  await work();
  for (const path of paths) source.delete(at(path));
  await run();
  await work();
  for (const path of paths.slice(0, 3)) ends.eu.secret(`kv/${path}`).replicas = ['us-west-2'];
  await clock.advance(20 * 60_000);
  const { code, json } = await plan();
  const stays = { action: 'stay', state: 'absent_marked', code: null, why: /^it has replicas/, deletion: {} };
  t.match({ code, json }, { code: 3, json: { secrets: [stays, stays, stays, { ref: 'kv/d', action: 'delete' }] } });
  t.match(json, { actions: { eu: { delete: 1, stay: 3, held: undefined } }, copies: { eu: { now: 4, after: 3 } } });
  const { text } = await planText();
  t.match(text, /\nstay +kv\/a .* 20 m\n +it has replicas, .*deletion\.replicas\n/);
  t.match(text, /\n1 to delete, 3 to stay for their replicas\n/);
  t.match(await run(), { deleted: 1, held: {} });
});

t.test('a copy that was let go is counted apart, and asks for nothing', async (t) => {
  const { plan, planText } = await one(({ ends }) => {
    const { tags } = ends.eu.secret('kv/a');
    tags.clear();
    tags.set('vaultferry:released', 'kv/a');
  });
  t.match(await plan(), { code: 0, json: { secrets: [], actions: { eu: { released: 1 } } } });
  t.match((await planText()).text, /^1 let go\n/);
  t.match(only((await plan({ all: true })).json), { action: 'released', state: 'released' });
});

t.test('what maxSecrets does not allow is told', async (t) => {
  const { source, plan, planText, run, work } = comparingHouse({ maxSecrets: 3 });
  source.write(at('a'), value());
  await run();
  await work();
  for (const path of ['b', 'c', 'd', 'e', 'f']) source.write(at(path), value());
  t.match((await plan()).json.copies, { eu: { now: 1, after: 3, beyondLimit: 3 } });
  const { text } = await planText();
  t.match(text, /5 to create, 1 in sync\n\n2 secrets would be created; \$0\.40 a month now, \$1\.20 then/);
  t.match(text, /eu: 1 copy now, 3 then; 3 more than maxSecrets allows, which are refused\n/);
});

t.test('on a terminal: coloured, and long refs cut in the middle', async (t) => {
  const { source, planText } = comparingHouse();
  source.write(at(`team/${'x'.repeat(120)}/database`), value());
  source.write(at('a\u001b[31m'), value());
  const { text } = await planText({ coloured: true, columns: 80 });
  const [head = '', ...lines] = text.split('\n');
  t.ok(head.startsWith('\u001b[1mACTION'));
  t.ok(lines[0]?.startsWith('\u001b[32mcreate\u001b[0m    kv/a\\u001b[31m '), 'a ref moves no cursor');
  t.match(lines[1], /kv\/team\/x+…x+\/database/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours' own
  t.ok(lines.slice(0, 2).every((line) => line.replace(/\u001b\[\d+m/g, '').length <= 80));
  t.match((await planText()).text, 'x'.repeat(120), 'whole where it is no terminal');
});

t.test('it shows how far it is, and takes that away, also when it is interrupted', async (t) => {
  const world = await one(() => undefined);
  await world.plan();
  t.same(world.shown, ['listed 1', 'compared', 'end']);
  world.ending.abort();
  await t.rejects(world.plan(), { name: 'AbortError' });
  t.equal(world.shown.at(-1), 'end');
});

t.test('a copy of ours that names no secret of a routed mount is shown by its own name', async (t) => {
  const { ends, plan, planText } = comparingHouse();
  ends.eu.createByHand('of/old', { tags: { 'vaultferry:vault': 'vault', 'vaultferry:source': 'old/one' }, value: '1' });
  t.match(only((await plan()).json), { ref: null, secretName: 'of/old', action: 'orphan', since: null, keys: null });
  t.match((await planText()).text, /\norphan +of\/old +eu /);
});
