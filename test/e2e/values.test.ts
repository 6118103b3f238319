import t from 'tap';
import { lookupBody, mountBody, startVaultHttp, valueBody } from '../fakes/vault-http.ts';
import { until } from '../servers/until.ts';
import { createAws } from './aws.ts';
import { sentMessages } from './recorder.ts';
import { startWorld } from './world.ts';

const world = await startWorld();
t.teardown(world.end);
const { aws, canaries, copy, equal, roto, write } = world;
const canary = canaries.next();

const MAX_VALUE_BYTES = 65_536;
/** An object of exactly so many bytes of UTF-8. */
const sized = (bytes: number, filler = 'x'): string => {
  const frame = `{"v":"${canary}"}`;
  const room = bytes - frame.length;
  const fill = filler.repeat(room / Buffer.byteLength(filler));
  return `{"v":"${canary}${fill}${'x'.repeat(room - Buffer.byteLength(fill))}"}`;
};

// What is written | what OpenBao makes of it, where that is another text: it keeps numbers as doubles, and sorts keys.
const VALUES: Readonly<Record<string, readonly [string, string?]>> = {
  empty: ['{}'],
  'key order': [`{"z":"${canary}","a":"${canary}","10":1,"9":2}`, `{"10":1,"9":2,"a":"${canary}","z":"${canary}"}`],
  'keys of Object': [`{"__proto__":{"toString":"${canary}"},"constructor":"${canary}","toString":null}`],
  nul: [`{"v":"${canary}\\u0000${canary}"}`],
  controls: [`{"v":"${canary}\\u0001\\u001f\\n\\r\\t\\"\\\\"}`],
  emoji: [`{"v😀":"${canary}😀é日本 e\u0301"}`],
  markup: [`{"<&>":"<b>${canary}</b> & more"}`],
  'a literal backslash u003c': [`{"v":"\\\\u003c${canary}"}`],
  'an answer within': [`{"v":"{\\"data\\":{\\"data\\":{\\"a\\":\\"${canary}\\"},\\"metadata\\":{}}}"}`],
  nested: [`{"data":{"data":{"metadata":{"v":"${canary}","version":9}}},"metadata":[[],{},null,true,false]}`],
  'many bytes': [sized(60_000)],
  'as many bytes as allowed': [sized(MAX_VALUE_BYTES)],
  'as many bytes of two-byte characters': [sized(MAX_VALUE_BYTES, 'é')],
};

t.test('values stand in AWS as they were written', async (t) => {
  for (const [name, [written, expected = written]] of Object.entries(VALUES)) {
    const path = `values/${name.replaceAll(' ', '-')}`;
    await write(path, written);
    const arrived = await copy(`kv/${path}`, ({ value }) => value !== undefined);
    t.ok(arrived.value === expected, name);
    await equal([path]);
  }
});

t.test('numbers are spelled as OpenBao answers them', async (t) => {
  const numbers = '{"big":12345678901234567890,"one":1.0,"exp":1e21,"tiny":1e-7,"max":9007199254740993,"neg":-0}';
  await write('numbers', numbers);
  await equal(['numbers']); // compares with OpenBao's own text
  t.ok((await copy('kv/numbers')).value);
});

t.test('a value of one byte too many is not written, and its letter says why', async (t) => {
  await write('large');
  await equal(['large']);
  const before = await copy('kv/large');
  await write('large', sized(MAX_VALUE_BYTES + 1));
  await write('large-from-the-start', sized(MAX_VALUE_BYTES + 1, '😀'));
  const letters = await until(async () => (await aws.letters()).length === 2 && aws.letters(), { what: 'two letters' });
  const [letter] = letters.filter(({ attributes }) => attributes['ref'] === 'kv/large');
  t.match(letter?.attributes, {
    code: 'value_too_large',
    text: /65537 bytes.*65536/,
    ref: 'kv/large',
    receives: '1',
    time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/,
  });
  t.strictSame(Object.keys(letter?.attributes ?? {}).toSorted(), ['code', 'receives', 'ref', 'text', 'time']);
  const [parked] = sentMessages(world.recorder.calls).filter(
    ({ url, body }) => url === world.queues.url && body === letter?.body,
  );
  t.ok(parked, 'the body is the message, unchanged');
  t.equal(letter?.group, parked?.id);
  t.match(JSON.parse(letter?.body ?? ''), {
    v: 1,
    kind: 'change',
    mount: 'kv',
    path: 'large',
    origin: 'audit',
    kv: 2,
    version: 2,
  });
  t.strictSame(await aws.copy('kv/large'), before);
  t.equal(await aws.copy('kv/large-from-the-start'), undefined);
  t.strictSame(
    letters.map(({ attributes }) => attributes['code']),
    ['value_too_large', 'value_too_large'],
  );
});

t.test('and a smaller one after it arrives', async () => {
  await write('large');
  await equal(['large']);
});

// What Vault answers | what is to stand in AWS, where that is another text.
const EXACT: Readonly<Record<string, readonly [string, string?]>> = {
  numbers: [
    '{"big":12345678901234567890,"one":1.0,"exp":1e400,"upper":1E+2,"neg":-0,"zero":0.0,"long":3.141592653589793238462643383279}',
  ],
  order: [`{"z":1,"a":"${canary}","__proto__":{"x":1},"0":2}`],
  escapes: [
    `{"v":"\\u003cb\\u003e${canary}\\u0026 \\\\u003c \\\\\\u003c \\u2028 \\ud83d\\ude00 \\/"}`,
    `{"v":"<b>${canary}& \\\\u003c \\\\< \\u2028 \\ud83d\\ude00 \\/"}`,
  ],
  'deep numbers': [`{"a":[{"b":[1.0,10000000000000000000000001,"${canary}"]}]}`],
  empty: ['{}'],
};

t.test('values stand in AWS as Vault spells them, to the last digit', async (t) => {
  const vault = await startVaultHttp();
  t.teardown(vault.close);
  vault.on('/sys/internal/ui/mounts/kv', { body: mountBody('kv') });
  vault.on('/auth/token/lookup-self', { body: lookupBody() });
  const queues = await roto.createQueues({ name: 'stand-in' });
  const { send, close } = createAws(roto.client, queues);
  t.teardown(close);
  const config = { vault: { address: vault.address, id: 'stand-in' }, queue: queues };
  await world.ferries.start('stand-in', { roles: ['worker'], config });
  for (const [name, [answered, expected = answered]] of Object.entries(EXACT)) {
    const path = `exact/${name.replaceAll(' ', '-')}`;
    vault.on(`/kv/data/${path}`, { body: valueBody(answered) });
    const message = { v: 1, kind: 'change', vault: 'stand-in', namespace: '', mount: 'kv', path };
    await send(JSON.stringify({ ...message, route: 'kv', destination: 'default', origin: 'operator', later: true }));
    const arrived = await copy(`kv/${path}`, ({ value }) => value !== undefined);
    t.ok(arrived.value === expected, name);
    t.match(arrived.versionId, /^v1-20261124T214057235646616Z-[0-9a-f]{24}$/);
  }
});

t.test('no value stands where it should not', async (t) => {
  t.strictSame(await world.leaks(), []);
});
