import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { createPeers } from '../../src/ingress/peers.ts';
import { createPlaces } from '../../src/ingress/places.ts';

/** A door with so many places; `enter` gives a name to a connection that was never made. */
function door(limit: number) {
  const names = new Map<net.Socket, string>();
  const crowded: string[] = [];
  const counts: number[] = [];
  const places = createPlaces({
    limit,
    onChange: (count) => counts.push(count),
    onCrowded: (socket) => crowded.push(names.get(socket) ?? ''),
  });
  const enter = (name: string) => {
    const socket = new net.Socket();
    names.set(socket, name);
    return places.admit(socket);
  };
  const left = () => [...names].filter(([{ destroyed }]) => destroyed).map(([, name]) => name);
  return { places, enter, left, crowded, counts };
}

t.test('who has not proved itself gives way, oldest first, and what it says is no help', async (t) => {
  const { enter, left, crowded, counts } = door(2);
  enter('kept')?.keep();
  for (const name of ['a', 'b', 'c']) enter(name);
  t.same([left(), crowded], [['a', 'b'], []]);
  t.same(counts, [1, 2, 1, 2, 1, 2]);
});

t.test('of those who have, the one that was silent longest', async (t) => {
  const { enter, left, crowded } = door(3);
  const [first, second, third] = ['first', 'second', 'third'].map(enter);
  for (const place of [third, first, second]) place?.keep();
  third?.heard();
  enter('new')?.keep();
  t.same([left(), crowded], [['first'], ['first']]);
  enter('newer');
  t.same(
    [left(), crowded],
    [
      ['first', 'second'],
      ['first', 'second'],
    ],
  );
});

t.test('who is being answered gives way after who is not, and never once it has proved itself', async (t) => {
  const { enter, left, crowded } = door(2);
  const [answered] = [enter('answered'), enter('idle')];
  answered?.begin();
  enter('a');
  t.same(left(), ['idle']);
  const kept = enter('kept');
  kept?.keep();
  kept?.begin();
  t.same(left(), ['idle', 'a']);
  const other = enter('other');
  t.same(left().toSorted(), ['a', 'answered', 'idle']);
  other?.keep();
  other?.begin();
  t.equal(enter('surplus'), undefined);
  t.same([left().includes('surplus'), crowded], [true, ['surplus']]);
  kept?.end();
  t.ok(enter('next'));
  t.same([left().includes('kept'), crowded], [true, ['surplus', 'kept']]);
});

t.test('the end ends them all', async (t) => {
  const { places, enter, left } = door(2);
  for (const name of ['a', 'b']) enter(name);
  places.end();
  t.same(left(), ['a', 'b']);
});

async function connection(t: Test): Promise<net.Socket> {
  const server = net.createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.teardown(() => client.destroy());
  const [accepted] = (await once(server, 'connection')) as [net.Socket];
  return accepted;
}

t.test('a peer is known until its connection closes, unless its port has come again', async (t) => {
  const peers = createPeers<string>();
  const socket = await connection(t);
  peers.add(socket, 'one');
  t.equal(peers.of(socket), 'one');
  peers.add(socket, 'another');
  socket.destroy();
  await once(socket, 'close');
  t.equal(peers.of(socket), undefined);
});
