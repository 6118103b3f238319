import t from 'tap';
import { Sensitive } from '../../src/sensitive.ts';
import { createConnectionReader } from '../../src/vault/connection.ts';
import { createMovingClient } from '../../src/vault/moving-client.ts';
import { standingClock } from './house.ts';

function world() {
  const { timing, pass } = standingClock();
  const secret = { address: 'http://a:1', token: 's.1', fails: false, readings: 0 };
  const reader = createConnectionReader(async () => {
    secret.readings += 1;
    if (secret.fails) throw new Error('no secret');
    return { address: secret.address, token: new Sensitive(secret.token) };
  }, timing);
  return { secret, reader, pass };
}

const one = new Sensitive('s.1');

t.test('the secret is read once for address and token, and anew every five minutes', async (t) => {
  const { secret, reader, pass } = world();
  t.strictSame(await Promise.all([reader.address(), reader.current().then((token) => token.reveal())]), [
    'http://a:1',
    's.1',
  ]);
  pass(299_999);
  await reader.current();
  t.equal(secret.readings, 1);
  pass(1);
  secret.address = 'http://b:2';
  t.equal(await reader.address(), 'http://b:2');
  t.equal(secret.readings, 2);
});

t.test('a secret that cannot be read leaves in use what was read last', async (t) => {
  const { secret, reader, pass } = world();
  secret.fails = true;
  await t.rejects(reader.current(), { message: 'no secret' });
  await t.rejects(reader.refresh(one, 'dead'), { message: 'no secret' });
  pass(1000);
  secret.fails = false;
  await reader.current();
  secret.fails = true;
  pass(300_000);
  t.equal((await reader.current()).reveal(), 's.1');
  t.equal(await reader.refresh(one, 'dead'), false);
});

t.test('a 403 reads it anew, but not time and again', async (t) => {
  const { secret, reader, pass } = world();
  await reader.current();
  pass(1999);
  t.equal(await reader.refresh(one, 'dead'), false);
  t.equal(secret.readings, 1);
  pass(1);
  secret.token = 's.2';
  t.equal(await reader.refresh(one, 'stands'), true);
  t.equal((await reader.current()).reveal(), 's.2');
  t.equal(await reader.refresh(one, 'dead'), true);
  t.equal(secret.readings, 2);
});

t.test('a client follows the address, and stays closed once it is', async (t) => {
  const events: string[] = [];
  let address = 'http://a';
  const client = createMovingClient(
    async () => address,
    (where) => ({
      request: async () => {
        events.push(`ask ${where}`);
        return { status: 200, text: new Sensitive('') };
      },
      close: () => {
        events.push(`close ${where}`);
      },
    }),
  );
  const ask = () => client.request({ method: 'GET', path: '/x', namespace: '' });
  await ask();
  await ask();
  address = 'http://b';
  await ask();
  client.close();
  address = 'http://c';
  await ask();
  t.strictSame(events, [
    'ask http://a',
    'ask http://a',
    'close http://a',
    'ask http://b',
    'close http://b',
    'close http://b',
    'close http://c',
    'ask http://c',
  ]);
});

t.test('a client that was never used is closed too', async (t) => {
  const never = createMovingClient(
    async () => '',
    () => {
      throw new Error('opened');
    },
  );
  t.doesNotThrow(never.close);
});
