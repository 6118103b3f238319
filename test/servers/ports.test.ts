import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { freePort, onFreePort } from './ports.ts';

t.test('a free port can be listened on', async (t) => {
  const server = createServer().listen(await freePort(), '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  t.ok(server.listening);
});

t.test('a start that lost its port gets another one', async (t) => {
  const ports: number[] = [];
  const start = async (port: number) => {
    ports.push(port);
    if (ports.length < 3) throw new Error('cannot bind 127.0.0.1: Address already in use (os error 98)');
    return port;
  };
  t.equal(await onFreePort(start), ports[2]);
  t.equal(ports.length, 3);
});

t.test('a start that fails for another reason, or three times, fails', async (t) => {
  let starts = 0;
  const failing = (message: string) => async () => {
    starts += 1;
    throw new Error(message);
  };
  await t.rejects(onFreePort(failing('no such file')), { message: 'no such file' });
  t.equal(starts, 1);
  await t.rejects(onFreePort(failing('listen EADDRINUSE')), { message: 'listen EADDRINUSE' });
  t.equal(starts, 4);
});
