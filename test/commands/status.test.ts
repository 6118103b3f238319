import t from 'tap';
import { statusCommand } from '../../src/commands/status.ts';
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
  { namespace: '', mount: 'old', name: 'old', include: ['**'], exclude: [], to: ['us'], as: '{mount}/{path}' },
];
const at = (path: string, mount = 'kv'): SecretRef => ({ namespace: '', mount, path });

function house(view: { readonly coloured: boolean; readonly columns?: number } = { coloured: false }) {
  const clock = manualClock();
  const vault = fakeSource(clock, KV, { namespace: '', mount: 'old' });
  const routes = createRoutes(ROUTES, { eu: {}, us: { region: 'us-east-1' } });
  const places = { eu: fakeSecretsManager(), us: fakeSecretsManager() };
  const names: Record<keyof typeof places, Set<string>> = { eu: new Set(), us: new Set() };
  const own = { vault: 'prod', tags: {}, versionTag: true, clock, fresh: () => '0'.repeat(24) };
  const told: string[] = [];
  const meter = {
    listed: (copies: number) => void told.push(`listed ${copies}`),
    compared: () => void told.push('compared'),
    crowded: () => undefined,
    end: () => void told.push('end'),
  };
  let looking = 0;
  let most = 0;
  const ends = new Map(
    (['eu', 'us'] as const).map((name) => {
      const look = async (order: Order) => {
        looking += 1;
        most = Math.max(most, looking);
        await new Promise(setImmediate);
        return lookAtBoth({ ...own, source: vault, destination: places[name] }, order).finally(() => {
          looking -= 1;
        });
      };
      const copies = async function* () {
        for (const copy of names[name]) {
          const { tags, description } = places[name].secret(copy);
          yield { tags: Object.fromEntries(tags), description };
        }
      };
      return [name, { look, copies }] as const;
    }),
  );
  const replicate = async (ref: SecretRef, only?: string) => {
    for (const { destination, route, secretName } of routes.targets(ref)) {
      if (destination !== 'eu' && destination !== 'us') throw new Error('no such destination');
      if (only !== undefined && destination !== only) continue;
      const run = createReplicator({ ...own, source: vault, destination: places[destination] });
      await run({ ref, route, secretName, hint: undefined }, () => undefined);
      names[destination].add(secretName);
    }
  };
  const status = async (...refs: string[]) => {
    const out: string[] = [];
    const errors: string[] = [];
    const streams = { write: (text: string) => out.push(text), writeError: (text: string) => errors.push(text) };
    const shown = { clock, meter, view };
    const run = (json: boolean) => statusCommand({ refs, routes, source: vault, ends, json, ...shown, ...streams });
    const code = await run(false);
    const [text = ''] = out.splice(0);
    t.equal(await run(true), code, 'the same code with --json');
    t.equal(out.length, 1);
    return { code, text, json: JSON.parse(out[0] ?? ''), errors: errors.slice(0, errors.length / 2) };
  };
  return { vault, ...places, ends, replicate, status, routes, most: () => most, names, told, clock };
}

t.test('all in sync', async (t) => {
  const { vault, replicate, status, eu, us } = house();
  vault.write(at('app/db'), '"canary"');
  await replicate(at('app/db'));
  const calls = [eu.calls.length, us.calls.length];
  const { code, text, json, errors } = await status();
  t.equal(code, 0);
  t.equal(
    text,
    [
      'REF        DESTINATION  STATE    VAULT  COPY  SINCE',
      'kv/app/db  eu           in sync     v1    v1  2026-11-24T21:40:00Z',
      'kv/app/db  us           in sync     v1    v1  2026-11-24T21:40:00Z',
      '',
      '2 of 2 secrets in sync',
      '',
    ].join('\n'),
  );
  const about = { ref: 'kv/app/db', secretName: 'kv/app/db', inSync: true, state: 'in_sync' };
  const more = {
    vaultVersion: 1,
    replicatedVersion: 1,
    since: '2026-11-24T21:40:00.000000003Z',
    code: null,
    why: null,
  };
  t.strictSame(json, {
    secrets: [
      { ...about, destination: 'eu', ...more },
      { ...about, destination: 'us', ...more },
    ],
    problems: [],
  });
  t.strictSame(errors, []);
  t.notMatch(text + JSON.stringify(json), /canary/);
  const made = [...eu.operations().slice(calls[0]), ...us.operations().slice(calls[1])];
  t.strictSame([...new Set(made)], ['describe'], 'it only looks');
});

t.test('drift and absence, found at either end, each once', async (t) => {
  const { vault, replicate, status, eu } = house();
  for (const path of ['a', 'b', 'gone', 'hidden/x']) vault.write(at(path), '1');
  await replicate(at('a'));
  await replicate(at('gone'));
  vault.write(at('a'), '2');
  vault.purge(at('gone'));
  eu.createByHand('kv/b', { value: 'x' });
  const { code, json, text } = await status();
  t.equal(code, 3);
  const states = json.secrets.map(
    ({ ref, destination, state }: Record<string, string>) => `${ref} ${destination} ${state}`,
  );
  t.strictSame(states, [
    'kv/a eu stale',
    'kv/a us stale',
    'kv/b eu conflict',
    'kv/b us missing',
    'kv/gone eu not_marked',
    'kv/gone us not_marked',
  ]);
  t.match(text, /^kv\/b -> eu: the secret kv\/b exists and is not this copy.*\(not_owned\)$/m);
  t.match(text, /^kv\/a -> us: the copy has an older version$/m);
  t.match(text, /^0 of 6 secrets in sync, 6 not$/m);
});

t.test('only the REFs that are asked for, and those that nobody knows are told', async (t) => {
  const { vault, replicate, status } = house();
  for (const path of ['a', 'b']) vault.write(at(path), '1');
  await replicate(at('a'));
  t.match(await status('kv/a', 'kv/a'), { code: 0, json: { secrets: { length: 2 } } });
  t.match(await status('kv/b'), { code: 3 });
  const { code, errors, json } = await status('kv/a', 'kv/none', 'other/x', 'kv/hidden/x');
  t.equal(code, 1);
  const wanted = [
    'other/x: no route covers it; a REF is [namespace:]mount/path of a routed mount',
    'kv/hidden/x: no route covers it; a REF is [namespace:]mount/path of a routed mount',
    'kv/none: neither end has it',
  ];
  t.strictSame(errors.map((line) => line.trimEnd()).sort(), wanted.toSorted());
  t.strictSame([...json.problems].sort(), wanted.toSorted());
  t.equal(json.secrets.length, 4);
});

t.test('an end that cannot be read is unknown, and the rest is told', async (t) => {
  const { vault, replicate, status, us, names, ends } = house();
  vault.write(at('a'), '1');
  vault.write(at('x', 'old'), '1');
  await replicate(at('a'));
  await replicate(at('x', 'old'));
  vault.disable({ namespace: '', mount: 'old' });
  us.interpose('before', 'describe', () => {
    throw new Error('canary');
  });
  const { code, text, json, errors } = await status();
  t.equal(code, 1);
  t.match(errors.join(''), /^old cannot be listed: no mount for old.* \(source_unavailable\)$/m);
  t.match(text, /^kv\/a -> us: an unexpected Error: please report it \(internal\)$/m);
  t.match(text, /^old\/x -> us: no mount for old\/x \(source_unavailable\)$/m);
  t.match(text, /^1 of 3 secrets in sync, 2 unknown$/m);
  t.match(json.secrets[2], { ref: 'old/x', state: 'unknown', inSync: null, vaultVersion: null });
  t.notMatch(text, /canary/);
  names.us.add('none');
  t.match((await status()).errors.join(''), /the copies at us cannot be listed: no secret none \(promotion_conflict\)/);
  ends.delete('us');
  t.match((await status('kv/a')).json.secrets[1], { state: 'unknown', code: 'internal' });
});

t.test('a name that cannot be is drift, and no call is made for it', async (t) => {
  const { vault, status, eu, us } = house();
  vault.write(at('p'.repeat(600)), '1');
  const { code, json } = await status();
  t.equal(code, 3);
  t.match(json.secrets[0], { state: 'refused', code: 'name_invalid', inSync: false });
  t.strictSame([...eu.calls, ...us.calls], []);
});

t.test('nothing is routed, nothing is there', async (t) => {
  const { status } = house();
  t.match(await status(), { code: 0, text: 'no secrets\n', json: { secrets: [], problems: [] } });
});

t.test('where nothing can be listed, nothing is said of what there is', async (t) => {
  const { vault, status } = house();
  for (const mount of ['kv', 'old']) vault.disable({ namespace: '', mount });
  t.match(await status(), { code: 1, text: '', errors: [/^kv cannot be listed/, /^old cannot be listed/] });
});

t.test('a path cannot move the cursor', async (t) => {
  const { vault, status } = house();
  vault.write(at('a\u001b[2Jb'), '1');
  t.notOk((await status()).text.includes('\u001b'));
});

t.test('a copy that was let go is no drift, and is not counted as in sync', async (t) => {
  const { vault, replicate, status, eu } = house();
  for (const path of ['a', 'b']) vault.write(at(path), '1');
  for (const path of ['a', 'b']) await replicate(at(path));
  const { tags } = eu.secret('kv/a');
  tags.clear();
  tags.set('vaultferry:released', 'kv/a');
  const { code, text, json } = await status();
  t.equal(code, 0);
  t.match(text, /^kv\/a +eu +released +v1 +v1 /m);
  t.match(text, /\n\n3 of 4 secrets in sync, 1 let go\n$/);
  t.match(json.secrets[0], { state: 'released', inSync: true, code: 'released' });
});

t.test('on a terminal of 80 columns no line is longer, and each state has its colour', async (t) => {
  const { vault, replicate, status, eu, ends } = house({ coloured: true, columns: 80 });
  const long = `team/${'x'.repeat(90)}/database`;
  for (const path of [long, 'a', 'b']) vault.write(at(path), '1');
  for (const path of [long, 'a']) await replicate(at(path));
  vault.write(at(long), '2');
  eu.createByHand('kv/b', { value: 'x' });
  const look = async () => {
    throw new ReplicationError('destination_unavailable', `no answer to ${'a word '.repeat(30)}`);
  };
  Object.assign(ends.get('us') ?? {}, { look });
  const { code, text } = await status();
  t.equal(code, 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours' own
  const plain = text.replace(/\u001b\[\d+m/g, '');
  for (const line of plain.split('\n')) t.ok(Array.from(line).length <= 80, line);
  t.match(plain, /^kv\/team\/x+…x+\/database +eu +stale +v2 +v1 +\d+ s$/m);
  for (const [colour, state] of [
    [2, 'in sync'],
    [33, 'stale'],
    [35, 'conflict'],
    [35, 'unknown'],
  ] as const) {
    t.ok(
      text.split('\n').some((line) => line.startsWith(`\u001b[${colour}m`) && line.includes(state)),
      state,
    );
  }
});

t.test('it shows how far it is, and takes that away', async (t) => {
  const { vault, status, told } = house();
  for (const path of ['a', 'b']) vault.write(at(path), '1');
  await status();
  t.strictSame(told.slice(0, told.length / 2), ['listed 1', 'listed 1', 'compared', 'compared', 'end']);
});

t.test('what a listing failed with cannot move the cursor', async (t) => {
  const { status } = house();
  const { errors } = await status('no\u001b[2Jne/x');
  t.match(errors, [/^no\\u001b\[2Jne\/x: no route/]);
});

t.test('eight secrets side by side, and no more', async (t) => {
  const { vault, status, most } = house();
  for (let i = 0; i < 40; i += 1) vault.write(at(`s${i}`), '1');
  t.match(await status(), { code: 3, json: { secrets: { length: 80 } } });
  t.equal(most(), 16, 'eight secrets, two copies each');
});

t.test('a listing that breaks off leaves what it told', async (t) => {
  const { vault, ends, routes, clock } = house();
  vault.write(at('a'), '1');
  const source = {
    async *list() {
      yield 'a';
      throw new ReplicationError('source_forbidden', 'no policy');
    },
  };
  const out: string[] = [];
  const write = (text: string) => out.push(text);
  const meter = { listed: () => undefined, compared: () => undefined, crowded: () => undefined, end: () => undefined };
  const shown = { clock, meter, view: { coloured: false }, json: true, write, writeError: write };
  t.equal(await statusCommand({ refs: [], routes, source, ends, ...shown }), 1);
  t.match(JSON.parse(out[0] ?? ''), {
    secrets: [{ ref: 'kv/a' }, { ref: 'kv/a' }, { ref: 'old/a' }],
    problems: ['kv cannot be listed: no policy (source_forbidden)', /^old cannot/],
  });
});
