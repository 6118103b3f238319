import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Sensitive } from '../../src/sensitive.ts';
import { createTokenReader } from '../../src/vault/token.ts';

const recorder = () => {
  const lines: unknown[] = [];
  const write = (...line: unknown[]): void => {
    lines.push(line);
  };
  return { lines, log: { debug: write, info: write, warn: write, error: write } };
};

const clock = () => {
  let time = 0;
  return {
    now: () => time,
    pass: (ms: number) => {
      time += ms;
    },
  };
};

t.test('a given token stays what it is', async (t) => {
  const reader = createTokenReader({ token: new Sensitive('s.one') }, recorder().log);
  t.equal((await reader.current()).reveal(), 's.one');
  t.equal(await reader.refresh(new Sensitive('s.one'), 'dead'), false);
  t.throws(() => createTokenReader({}, recorder().log), TypeError);
});

t.test('a file that is replaced by a rename is read anew, at most a second later', async (t) => {
  const file = join(t.testdir({ token: ' s.one\n' }), 'token');
  const time = clock();
  const reader = createTokenReader({ tokenFile: file }, recorder().log, time.now);
  t.equal((await reader.current()).reveal(), 's.one');
  await writeFile(`${file}.new`, 's.two');
  await rename(`${file}.new`, file);
  time.pass(999);
  t.equal((await reader.current()).reveal(), 's.one');
  time.pass(1);
  t.equal((await reader.current()).reveal(), 's.two');
  const same = await reader.current();
  time.pass(1000);
  t.equal(await reader.current(), same, 'an unchanged file is not read again');
});

t.test('a mounted secret whose link is turned is read anew', async (t) => {
  const dir = t.testdir({ first: { token: 's.one' }, second: { token: 's.two' } });
  await symlink('first', join(dir, '..data'));
  await symlink('..data/token', join(dir, 'token'));
  const time = clock();
  const reader = createTokenReader({ tokenFile: join(dir, 'token') }, recorder().log, time.now);
  t.equal((await reader.current()).reveal(), 's.one');
  await symlink('second', join(dir, '..new'));
  await rename(join(dir, '..new'), join(dir, '..data'));
  time.pass(1000);
  t.equal((await reader.current()).reveal(), 's.two');
});

t.test('after a 403 the file is read whatever its times say', async (t) => {
  const file = join(t.testdir({ token: 's.one' }), 'token');
  const reader = createTokenReader({ tokenFile: file }, recorder().log, clock().now);
  const used = await reader.current();
  t.equal(await reader.refresh(used, 'stands'), false);
  await writeFile(file, 's.two');
  await utimes(file, 0, 0);
  t.equal(await reader.refresh(used, 'stands'), true);
  t.equal((await reader.current()).reveal(), 's.two');
});

t.test('a file that is gone or half-written leaves the token in use, and is reported once without it', async (t) => {
  const file = join(t.testdir({ token: 's.one' }), 'token');
  const time = clock();
  const { lines, log } = recorder();
  const reader = createTokenReader({ tokenFile: file }, log, time.now);
  await reader.current();
  await rm(file);
  for (const wait of [1000, 1000]) {
    time.pass(wait);
    t.equal((await reader.current()).reveal(), 's.one');
  }
  t.match(lines, [[{ file, code: 'ENOENT' }]]);
  for (const text of ['', 'canary\ncanary', 'canäry']) {
    await writeFile(file, text);
    time.pass(1000);
    t.equal((await reader.current()).reveal(), 's.one');
  }
  t.match(lines, [[{ code: 'ENOENT' }], [{ code: 'NOT_ONE_WORD' }]]);
  t.notMatch(JSON.stringify(lines), /canary|s\.one/);
  await writeFile(file, 's.two');
  time.pass(1000);
  t.equal((await reader.current()).reveal(), 's.two');
});

t.test('no token at all is the source unavailable, naming the file', async (t) => {
  const dir = t.testdir({});
  await mkdir(join(dir, 'token'));
  const time = clock();
  const reader = createTokenReader({ tokenFile: join(dir, 'token') }, recorder().log, time.now);
  await t.rejects(reader.current(), { code: 'source_unavailable', message: /token/ });
});

t.test('those who ask at the same time share one look', async (t) => {
  const file = join(t.testdir({ token: 's.one' }), 'token');
  const { lines, log } = recorder();
  const reader = createTokenReader({ tokenFile: `${file}.absent` }, log);
  const settled = await Promise.allSettled([reader.current(), reader.current(), reader.current()]);
  t.ok(settled.every(({ status }) => status === 'rejected'));
  t.equal(lines.length, 1);
});
