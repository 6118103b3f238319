import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import t from 'tap';
import type { Copy, Letter } from './aws.ts';
import { createCanaries } from './canaries.ts';
import { findLeaks, type Searched } from './leaks.ts';
import { startRecorder } from './recorder.ts';

const canaries = createCanaries();

t.test('a canary is found in every spelling, at every place in a text', (t) => {
  const canary = canaries.next();
  const bytes = Buffer.from(canary);
  const spelled = {
    raw: canary,
    'upper case': canary.toUpperCase(),
    JSON: JSON.stringify(JSON.stringify({ canary })),
    'JSON escapes': [...canary].map((c) => `\\u00${c.charCodeAt(0).toString(16)}`).join(''),
    hex: bytes.toString('hex'),
    'upper-case hex': bytes.toString('hex').toUpperCase(),
    percent: [...bytes].map((byte) => `%${byte.toString(16)}`).join(''),
    'name escapes': [...bytes].map((byte) => `=${byte.toString(16).toUpperCase()}`).join(''),
    base64: bytes.toString('base64'),
    'base64 one byte on': Buffer.from(`x${canary}y`).toString('base64'),
    'base64 two bytes on': Buffer.from(`"x${canary}`).toString('base64'),
    'base64 within JSON': Buffer.from(JSON.stringify({ password: canary })).toString('base64url'),
    'cut short': canary.slice(0, -8),
  };
  for (const [name, text] of Object.entries(spelled)) {
    t.not(canaries.spellingsIn(`before ${text} after`).length, 0, name);
    t.not(canaries.spellingsIn(Buffer.from(text)).length, 0, name);
  }
  t.strictSame(canaries.spellingsIn('nothing of the kind'), []);
  t.strictSame(canaries.spellingsIn(createCanaries().next()), []);
  t.not(canaries.next(), canaries.next());
  t.end();
});

const CLEAN: Copy = {
  arn: 'arn',
  description: '',
  tags: {},
  stages: {},
  versionId: 'v1',
  value: canaries.next(),
  scheduledForDeletion: false,
};

/** A world that leaks nothing, but for what is planted. */
const searched = (planted: {
  said?: string;
  told?: string;
  name?: string;
  copy?: Partial<Copy>;
  letter?: Letter;
}): Searched => ({
  canaries,
  ferries: { said: () => ['{"event":"ready"}', planted.said ?? ''] },
  recorder: { calls: [{ operation: 'SendMessage', request: {}, answer: {}, text: planted.told ?? '' }] },
  aws: {
    names: async () => [planted.name ?? 'kv/app'],
    copy: async () => ({ ...CLEAN, ...planted.copy }),
    letters: async () => (planted.letter === undefined ? [] : [planted.letter]),
  },
});

t.test('the search finds what is planted, wherever that is', async (t) => {
  const canary = canaries.next();
  t.strictSame(await findLeaks(searched({})), []);
  t.strictSame(await findLeaks(searched({ said: `{"text":"${canary}"}` })), ['said by VaultFerry: raw']);
  t.strictSame(await findLeaks(searched({ told: Buffer.from(canary).toString('hex') })), ['told to AWS: hex']);
  t.strictSame(await findLeaks(searched({ name: canary })), ['secrets: raw']);
  for (const copy of [
    { description: canary },
    { tags: { version: canary } },
    { stages: { [canary]: [] } },
    { versionId: canary },
  ]) {
    t.strictSame(await findLeaks(searched({ copy })), ['secrets: raw'], Object.keys(copy).join());
  }
  for (const letter of [
    { body: canary, group: '', attributes: {} },
    { body: '', group: '', attributes: { text: canary } },
  ]) {
    t.strictSame(await findLeaks(searched({ letter })), ['letters: raw']);
  }
});

t.test('the recorder keeps everything of a call but its SecretString', async (t) => {
  const upstream = http.createServer((request, response) => {
    request.resume().on('end', () => response.end('{"ARN":"arn:it"}'));
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const recorder = await startRecorder(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}`);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new SecretsManagerClient({ endpoint: recorder.endpoint, region: 'us-east-1', credentials });
  t.teardown(async () => {
    client.destroy();
    await recorder.close();
    upstream.close();
  });
  const secret = { Name: 'kv/app', SecretString: JSON.stringify({ password: canaries.next() }) };
  t.match(await client.send(new CreateSecretCommand(secret)), { ARN: 'arn:it' });
  await client.send(new CreateSecretCommand({ ...secret, Tags: [{ Key: 'version', Value: canaries.next() }] }));
  const [clean, leaking] = recorder.calls;
  t.match(clean, { operation: 'CreateSecret', request: { Name: 'kv/app' }, answer: { ARN: 'arn:it' } });
  t.strictSame(canaries.spellingsIn(clean?.text ?? ''), []);
  t.strictSame(canaries.spellingsIn(leaking?.text ?? ''), ['raw']);
});
