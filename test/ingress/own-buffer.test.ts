import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import t from 'tap';
import { chunked, createOwnBuffers } from '../../src/ingress/own-buffer.ts';

/** What is read of each connection, and how many buffers it came in. */
async function serve(adopt: typeof chunked, pauseOnConnect: boolean) {
  const read: string[] = [];
  const buffers = new Set<ArrayBufferLike>();
  const server = net.createServer({ pauseOnConnect }, (accepted) => {
    const { socket, read: readBytes } = adopt(accepted);
    const place = read.push('') - 1;
    socket.on('error', () => socket.destroy());
    readBytes((bytes) => {
      read[place] += bytes.toString();
      buffers.add(bytes.buffer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, read, buffers, port: (server.address() as AddressInfo).port };
}

async function send(port: number, text: string): Promise<void> {
  const client = net.connect(port, '127.0.0.1').resume();
  client.end(text);
  await once(client, 'close');
}

async function closed(server: net.Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

const LONG = 'line\n'.repeat(200_000);

t.test('all connections are read through one buffer, whole and to their ends', async (t) => {
  const { server, read, buffers, port } = await serve(createOwnBuffers(Buffer.alloc(128 * 1024)), true);
  await Promise.all([send(port, LONG), send(port, 'short\n'), send(port, '')]);
  t.same(read.toSorted(), ['', LONG, 'short\n']);
  t.equal(buffers.size, 1);
  await closed(server);
});

t.test('little is read at once until the connection is known', async (t) => {
  const adopt = createOwnBuffers(Buffer.alloc(128 * 1024));
  const lengths: number[] = [];
  const known = 10;
  const server = net.createServer({ pauseOnConnect: true }, (accepted) => {
    const { socket, read, widen } = adopt(accepted);
    read((bytes) => {
      if (lengths.push(bytes.length) === known) widen();
      socket.pause(); // until more has come than one read takes
      setImmediate(() => socket.resume());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await send((server.address() as AddressInfo).port, LONG.repeat(3));
  t.equal(Math.max(...lengths.slice(0, known)), 16 * 1024);
  t.ok(Math.max(...lengths.slice(known)) > 16 * 1024);
  await closed(server);
});

t.test('the server counts such a connection as open until it closes', async (t) => {
  const { server, port } = await serve(createOwnBuffers(Buffer.alloc(128 * 1024)), true);
  const client = net.connect(port, '127.0.0.1').resume();
  await once(server, 'connection');
  const open = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  t.equal(open, 1);
  client.end();
  await closed(server);
});

t.test('where Node has no such handle, chunks come as ever', async (t) => {
  const adopt = createOwnBuffers(Buffer.alloc(128 * 1024));
  const { server, read, port } = await serve((accepted) => {
    const handle = Reflect.get(accepted, '_handle');
    Reflect.set(accepted, '_handle', null);
    const adopted = adopt(accepted);
    Reflect.set(accepted, '_handle', handle);
    return adopted;
  }, true);
  await send(port, LONG);
  t.same(read, [LONG]);
  await closed(server);
});

t.test('chunks of a connection', async (t) => {
  const { server, read, port } = await serve(chunked, false);
  await send(port, LONG);
  t.same(read, [LONG]);
  await closed(server);
});
