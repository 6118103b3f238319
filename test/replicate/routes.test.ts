import { createHash } from 'node:crypto';
import t from 'tap';
import { createRoutes, messageGroup, type Route } from '../../src/replicate/routes.ts';

const route = (more: Partial<Route> = {}): Route => ({
  name: 'all',
  namespace: '',
  mount: 'kv',
  include: ['**'],
  exclude: [],
  to: ['eu'],
  as: '{mount}/{path}',
  ...more,
});
const DESTINATIONS = {
  eu: { region: 'eu-central-1' },
  us: { region: 'us-east-1' },
  near: { endpoint: 'http://127.0.0.1:1' },
};
const ref = (path: string, mount = 'kv', namespace = '') => ({ namespace, mount, path });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** The paths of `candidates` that the globs take. */
function taken(include: string[], exclude: string[], ...candidates: string[]): string[] {
  const routes = createRoutes([route({ include, exclude })], DESTINATIONS);
  return candidates.filter((path) => routes.targets(ref(path)).length > 0);
}

t.test('the message group is the hash that the contract writes down', async (t) => {
  t.equal(messageGroup({}, 'kv/x'), sha256('["","","","kv/x"]'));
  t.equal(messageGroup({ region: 'eu-central-1' }, 'kv/x'), sha256('["","eu-central-1","","kv/x"]'));
  t.equal(messageGroup(DESTINATIONS.near, 'kv/"x'), sha256('["","","http://127.0.0.1:1","kv/\\"x"]'));
});

t.test('a target says route, destination, name and group', async (t) => {
  const { targets } = createRoutes([route()], DESTINATIONS);
  const secretName = 'kv/a=20b';
  const group = messageGroup(DESTINATIONS.eu, secretName);
  t.same(targets(ref('a b')), [{ route: 'all', destination: 'eu', secretName, group }]);
});

t.test('another mount or namespace is not routed', async (t) => {
  const { targets } = createRoutes([route()], DESTINATIONS);
  t.same(targets(ref('a', 'kv2')), []);
  t.same(targets(ref('a', 'kv', 'team-a')), []);
});

t.test('several destinations are several copies, each with its group', async (t) => {
  const targets = createRoutes([route({ to: ['eu', 'us'] })], DESTINATIONS).targets(ref('a'));
  t.same(
    targets.map(({ destination }) => destination),
    ['eu', 'us'],
  );
  t.equal(new Set(targets.map(({ group }) => group)).size, 2);
});

t.test('the first route that leads to a name wins; another name is another copy', async (t) => {
  const routes = createRoutes(
    [
      route({ name: 'first', include: ['app/*'] }),
      route({ name: 'second', to: ['eu', 'us'] }),
      route({ name: 'third', as: 'copy/{path}' }),
    ],
    DESTINATIONS,
  );
  const of = (path: string) =>
    routes.targets(ref(path)).map(({ route: by, destination, secretName }) => `${by} ${destination} ${secretName}`);
  t.same(of('app/x'), ['first eu kv/app/x', 'second us kv/app/x', 'third eu copy/app/x']);
  t.same(of('other'), ['second eu kv/other', 'second us kv/other', 'third eu copy/other']);
});

t.test('two destinations of one address are one thing written', async (t) => {
  const twice = { a: { region: 'eu-central-1' }, b: { region: 'eu-central-1' } };
  const targets = createRoutes([route({ to: ['a', 'b'] })], twice).targets(ref('x'));
  t.same(
    targets.map(({ destination }) => destination),
    ['a'],
  );
});

t.test("a destination without any address is the SDK's default one", async (t) => {
  const [target] = createRoutes([route({ to: ['unlisted'] })], {}).targets(ref('x'));
  t.equal(target?.group, messageGroup({}, 'kv/x'));
});

t.test('globs', async (t) => {
  t.same(taken(['app/*'], [], 'app/a', 'app/a/b', 'app', 'apple/a'), ['app/a']);
  t.same(taken(['app/**'], [], 'app/a', 'app/a/b', 'other'), ['app/a', 'app/a/b']);
  t.same(taken(['*'], [], '.hidden', 'plain', 'a/b'), ['.hidden', 'plain'], 'a dot is a character');
  t.same(taken(['**/.env', 'a?c'], [], 'x/y/.env', 'abc', 'ac'), ['x/y/.env', 'abc']);
  t.same(taken([], [], 'anything'), [], 'nothing included, nothing taken');
});

t.test('** alone takes every path, over line breaks too', async (t) => {
  const odd = ['a', '.a/.b', 'a\nb/c', '\n', 'a\u2028b', ' ', '!x', '[', '/x', 'x/'];
  t.same(taken(['**'], [], ...odd), odd);
  t.same(taken(['app/*', '**'], [], ...odd), odd);
  t.same(taken(['**'], ['**'], ...odd), [], 'in exclude it takes every path away');
});

t.test('exclude wins over include', async (t) => {
  t.same(taken(['**'], ['private/**', '*.tmp'], 'a', 'private/a', '.private/a', 'b.tmp'), ['a', '.private/a']);
});

t.test('the routed mounts, each once', async (t) => {
  const { mounts } = createRoutes(
    [route(), route({ name: 'b', include: ['x'] }), route({ namespace: 'kv' }), route({ mount: 'kv/nested' })],
    DESTINATIONS,
  );
  t.same(mounts, [
    { namespace: '', mount: 'kv' },
    { namespace: 'kv', mount: 'kv' },
    { namespace: '', mount: 'kv/nested' },
  ]);
});
