import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createLoginReader, type Login } from '../../src/vault/login.ts';
import { loginOf, recorder, standingClock } from './house.ts';

const down = () => new ReplicationError('source_unavailable', 'the login is refused');

/** A reader whose logins give these one after the other; the last stays. An error is thrown. */
function world(...logins: (Login | Error)[]) {
  const { timing, pass } = standingClock();
  const { lines, log } = recorder();
  const count = { logins: 0 };
  const reader = createLoginReader(
    async () => {
      const next = logins[Math.min(count.logins, logins.length - 1)];
      count.logins += 1;
      if (next === undefined || next instanceof Error) throw next;
      return next;
    },
    log,
    timing,
  );
  const current = async (): Promise<string> => (await reader.current()).reveal();
  return { reader, pass, lines, count, current };
}

t.test('one login serves all until the token ends', async (t) => {
  const { current, count, pass, lines } = world(loginOf('s.canary-1', 60), loginOf('s.canary-2', 60));
  t.strictSame(await Promise.all([current(), current()]), ['s.canary-1', 's.canary-1']);
  pass(59_999);
  t.equal(await current(), 's.canary-1');
  t.equal(count.logins, 1);
  pass(1);
  t.equal(await current(), 's.canary-2');
  t.match(lines, [{ event: 'vault.logged_in', ttlSeconds: 60 }, { event: 'vault.logged_in' }]);
  t.notMatch(JSON.stringify(lines), 'canary');
});

t.test('a token without an end is kept', async (t) => {
  const { current, pass, count } = world(loginOf('s.1', undefined));
  await current();
  pass(1e12);
  await current();
  t.equal(count.logins, 1);
});

t.test('a token that Vault still takes is kept, a dead one is replaced at once and once', async (t) => {
  const { reader, current, count, pass } = world(loginOf('s.1', 600), loginOf('s.2', 600), loginOf('s.3', 600));
  await current();
  const used = new Sensitive('s.1');
  t.equal(await reader.refresh(used, 'stands'), false);
  pass(10_000);
  t.strictSame(await Promise.all([reader.refresh(used, 'dead'), reader.refresh(used, 'dead')]), [true, true]);
  t.equal(await current(), 's.2');
  t.equal(await reader.refresh(used, 'dead'), true, 'who comes late finds another');
  t.equal(await reader.refresh(used, 'stands'), true);
  t.equal(count.logins, 2);
});

t.test('tokens that die as soon as they are given make no storm of logins', async (t) => {
  const { reader, current, count, pass } = world(loginOf('s.1', 600), loginOf('s.2', 600), loginOf('s.3', undefined));
  await current();
  const refused = { code: 'source_unavailable', message: /its own login gave a moment ago/ };
  await t.rejects(reader.refresh(new Sensitive('s.1'), 'dead'), refused);
  await t.rejects(reader.refresh(new Sensitive('s.1'), 'dead'), refused);
  await t.rejects(current(), refused);
  t.equal(count.logins, 1);
  pass(1000);
  t.equal(await current(), 's.2');
  await t.rejects(reader.refresh(new Sensitive('s.2'), 'dead'), refused);
  pass(1999);
  await t.rejects(current(), refused, 'and each time it takes longer');
  pass(1);
  t.equal(await current(), 's.3');
  await t.rejects(reader.refresh(new Sensitive('s.3'), 'dead'), refused);
});

t.test('a short life that ends a little early is no such death', async (t) => {
  const { reader, current, pass } = world(loginOf('s.1', 4), loginOf('s.2', 4));
  await current();
  pass(2000);
  t.equal(await reader.refresh(new Sensitive('s.1'), 'dead'), true);
  t.equal(await current(), 's.2');
});

t.test('a login that fails is told, and leaves the token in use as long as it lasts', async (t) => {
  const { reader, current, pass, lines, count } = world(loginOf('s.1', 60), down(), loginOf('s.2', 60));
  await current();
  await t.rejects(reader.replace(new Sensitive('s.1')), { message: 'the login is refused' });
  t.equal(await current(), 's.1');
  pass(500);
  await t.rejects(reader.replace(new Sensitive('s.1')), { message: 'the login is refused' });
  t.equal(count.logins, 2, 'and it is not tried again at once');
  t.match(lines[1], { event: 'vault.login_failed', err: { message: 'the login is refused' } });
  pass(500);
  await reader.replace(new Sensitive('s.1'));
  t.equal(await current(), 's.2');
  await reader.replace(new Sensitive('s.1'));
  t.equal(count.logins, 3, 'another token is there already');
});

t.test('a renewal puts the end off', async (t) => {
  const { reader, current, pass } = world(loginOf('s.1', 60), loginOf('s.2', 60));
  const token = await reader.current();
  t.match(reader.lease(token), { ttl: 60, renewable: true });
  t.equal(reader.lease(new Sensitive('s.other')), undefined);
  pass(40_000);
  reader.renewed(token, { ttl: 60, renewable: false });
  reader.renewed(new Sensitive('s.other'), { ttl: 1, renewable: true });
  t.match(reader.lease(token), { renewable: false });
  pass(59_999);
  t.equal(await current(), 's.1');
  pass(1);
  t.equal(await current(), 's.2');
});
