import t from 'tap';
import { asksVault, checkRoles, type Role } from '../../src/config/roles.ts';
import { FULL, MINIMAL, parse, problemsOf, withSections, wrongKeys } from './examples.ts';

const FIFO = 'http://127.0.0.1/1/a.fifo';
const OTHER = 'http://127.0.0.1/1/b.fifo';
const http = { listen: 'http://127.0.0.1:0', tokens: ['t'] };
const tls = { certFile: 'c', keyFile: 'k' };
const route = (more: object) => ({ mount: 'kv', ...more });
const tags = (values: object) => ({ default: { tags: values } });
const deletion = (values: object) => ({ destinations: { default: { deletion: values } } });

const VALID: Record<string, unknown>[] = [
  { vault: { auth: { method: 'token', tokenFile: 'a' }, address: 'HTTPS://[::1]:8200', timeout: '100ms' } },
  { ingress: { socket: 'tcp://0.0.0.0:9090', insecure: true } },
  { ingress: { socket: 'tcp://0.0.0.0:9090', allow: ['10.0.0.0/8'] } },
  { ingress: { socket: 'tcp://localhost:0', maxLineBytes: 512 } },
  { ingress: { socket: 'tls://0.0.0.0:9090', tls } },
  { ingress: { socket: 'tls://0.0.0.0:9090', tls: { ...tls, clientCaFile: 'a' }, maxConnections: 1 } },
  { ingress: { http: { ...http, listen: 'https://0.0.0.0:1', allow: ['::/0'] }, tls } },
  { admin: { listen: 'https://localhost:8081', tls } },
  { ingress: { socket: 'unix:/run/a.sock' } },
  { ingress: { socket: false, http } },
  { admin: { listen: 'http://0.0.0.0:8081', token: 't' } },
  { queue: { url: FIFO, deadLetterUrl: OTHER, visibilityTimeout: '11h', maxReceives: 99 } },
  { sweep: { every: '30d', minGap: '0s' } },
  { routes: [route({}), route({ name: 'two', exclude: ['a'] })] },
  { routes: [route({}), route({ namespace: 'n', as: '{namespace}/{mount}/{path}' })] },
  { routes: [route({ as: 'x/{path}' }), { mount: 'kv2', as: 'y/{path}' }] },
  { routes: [route({ as: '{path}', include: ['a/**'] }), { mount: 'kv2', as: '{path}', include: ['b/**'] }] },
  { routes: [route({ as: '{path}', exclude: ['b/**'] }), { mount: 'kv2', as: '{path}', include: ['b/*'] }] },
  {
    destinations: { default: {}, b: {} },
    routes: [route({ as: '{path}' }), { mount: 'kv2', as: '{path}', to: ['b'] }],
  },
  { routes: [route({ as: `${'x'.repeat(511)}{path}` })] },
  { destinations: { default: { maxSecrets: 500_000 } } },
  deletion({ grace: '5m', recoveryWindow: '7d', maxPerSweep: 1, maxShare: '0%', replicas: false }),
  deletion({ grace: '30d', recoveryWindow: '30d', maxPerSweep: 10_000, maxShare: '100%', replicas: true }),
  { routes: [route({}), route({ name: 'two', as: 'b/{path}' })] },
  { destinations: { default: {}, b: {} }, routes: [route({}), route({ name: 'two', to: ['b'] })] },
  { destinations: tags({ 'team é': '', [`k${'x'.repeat(126)}`]: 'v'.repeat(255), versions: '1' }) },
];

const WRONG: [Record<string, unknown>, string[]][] = [
  [{ vault: { id: '-a' } }, ['vault.id']],
  [{ vault: { address: 'http://u:p@a' } }, ['vault.address']],
  [{ vault: { address: 'http://a/v1' } }, ['vault.address']],
  [{ vault: { address: 'http://a/?' } }, ['vault.address']],
  [{ vault: { address: 'http://a/?x=1' } }, ['vault.address']],
  [{ vault: { address: 'unix:/a' } }, ['vault.address']],
  [{ vault: { timeout: '99ms' } }, ['vault.timeout']],
  [{ vault: { auth: { method: 'token' } } }, ['vault.auth']],
  [{ vault: { auth: { method: 'token', token: 'a', tokenFile: 'b' } } }, ['vault.auth']],
  [{ vault: { auth: { method: 'token', token: '' } } }, ['vault.auth.token']],
  [{ vault: { auth: { token: 'a' } } }, ['vault.auth.method']],
  [{ ingress: true }, ['ingress']],
  [{ ingress: { socket: true } }, ['ingress.socket']],
  [{ ingress: { socket: false } }, ['ingress']],
  [{ ingress: { socket: 'tcp://0.0.0.0:9090' } }, ['ingress.socket']],
  [{ ingress: { socket: 'tcp://vault.example:9090', insecure: false } }, ['ingress.socket']],
  [{ ingress: { socket: 'tcp://0.0.0.0:9090', http: { ...http, listen: 'https://[::]:1' }, tls } }, ['ingress.socket']],
  [{ ingress: { socket: 'tls://127.0.0.1:0' } }, ['ingress.socket']],
  [
    { ingress: { socket: 'tls://127.0.0.1:0', http: { ...http, listen: 'https://a:1' } } },
    ['ingress.http.listen', 'ingress.socket'],
  ],
  [{ ingress: { socket: 'tls://127.0.0.1:0', tls: { certFile: 'c' } } }, ['ingress.tls.keyFile']],
  [{ ingress: { tls } }, ['ingress.tls']],
  [{ ingress: { socket: false, http, tls } }, ['ingress.tls']],
  [{ admin: { listen: 'https://127.0.0.1:0' } }, ['admin.listen']],
  [{ admin: { tls } }, ['admin.tls']],
  [{ admin: { listen: 'https://127.0.0.1:0', tls: { ...tls, clientCaFile: 'a' } } }, ['admin.tls.clientCaFile']],
  [{ ingress: { maxConnections: 0 } }, ['ingress.maxConnections']],
  [{ ingress: { http: { ...http, allow: ['a'] } } }, ['ingress.http.allow[0]']],
  [{ ingress: { socketMode: '0888' } }, ['ingress.socketMode']],
  [{ ingress: { socketMode: 660 } }, ['ingress.socketMode']],
  [{ ingress: { allow: ['10.0.0.0/33', 'a'] } }, ['ingress.allow[0]', 'ingress.allow[1]']],
  [{ ingress: { maxLineBytes: 511 } }, ['ingress.maxLineBytes']],
  [{ ingress: { maxLineBytes: '65MiB' } }, ['ingress.maxLineBytes']],
  [{ ingress: { maxLineBytes: 1024.5 } }, ['ingress.maxLineBytes']],
  [{ ingress: { http: { listen: http.listen } } }, ['ingress.http.tokens']],
  [{ ingress: { http: { ...http, tokens: [] } } }, ['ingress.http.tokens']],
  [{ ingress: { http: { ...http, tokens: [''] } } }, ['ingress.http.tokens[0]']],
  [{ ingress: { http: { ...http, listen: 'https://a:1' } } }, ['ingress.http.listen']],
  [{ ingress: { http: { ...http, rateLimit: { max: 0 } } } }, ['ingress.http.rateLimit.max']],
  [{ admin: { listen: 'http://0.0.0.0:8081' } }, ['admin.listen']],
  [{ queue: { url: FIFO, deadLetterUrl: FIFO } }, ['queue.deadLetterUrl']],
  [{ queue: { url: 'http://a/b', deadLetterUrl: 'sqs://a/b.fifo' } }, ['queue.deadLetterUrl', 'queue.url']],
  [{ queue: { url: 'http://a/b.fifo?x', deadLetterUrl: 'http://u:p@a/b.fifo' } }, ['queue.deadLetterUrl', 'queue.url']],
  [
    { queue: { url: FIFO, deadLetterUrl: OTHER, visibilityTimeout: '9s', maxReceives: 100 } },
    ['queue.maxReceives', 'queue.visibilityTimeout'],
  ],
  [{ worker: { concurrency: 257, writesPerSecond: 51 } }, ['worker.concurrency', 'worker.writesPerSecond']],
  [{ worker: { concurrency: 1.5 } }, ['worker.concurrency']],
  [{ sweep: { every: '59s', minGap: '25h' } }, ['sweep.every', 'sweep.minGap']],
  [{ log: { level: 'loud' } }, ['log.level']],
  [{ log: null }, ['log']],
  [{ routes: [] }, ['routes']],
  [{ routes: [{}] }, ['routes[0].mount']],
  [{ routes: [{ mount: '//' }, { mount: 'a//b' }] }, ['routes[0].mount', 'routes[1].mount']],
  [{ routes: [route({ namespace: 'a//b', name: 'a%b' })] }, ['routes[0].name', 'routes[0].namespace']],
  [{ routes: [route({ kvVersion: 3 })] }, ['routes[0].kvVersion']],
  [
    { routes: [route({ include: ['a*b*c*d', '*[ab]*c*'], exclude: ['!(a)/**/b*/*'] })] },
    ['routes[0].exclude[0]', 'routes[0].include[1]'],
  ],
  [
    {
      routes: [
        route({ name: 'a' }),
        route({ name: 'b', include: ['b/**'], kvVersion: 1 }),
        route({ name: 'c', include: ['c/**'], kvVersion: 1 }),
        route({ name: 'd', include: ['d/**'] }),
        route({ name: 'e', include: ['e/**'], kvVersion: 2 }),
        route({ name: 'f', include: ['f/**'], kvVersion: 2, namespace: 'team', as: '{namespace}/{path}' }),
      ],
    },
    ['routes[4].kvVersion'],
  ],
  [{ routes: [route({ include: [], exclude: [''] })] }, ['routes[0].exclude[0]', 'routes[0].include']],
  [{ routes: [route({ include: ['a', 'a'], to: [] })] }, ['routes[0].include', 'routes[0].to']],
  [{ routes: [route({ as: '{mount}' })] }, ['routes[0].as']],
  [{ routes: [route({ as: '{path}{host}' })] }, ['routes[0].as']],
  [{ routes: [route({ as: '{path}}' })] }, ['routes[0].as']],
  [{ routes: [route({ to: ['default', 'constructor'] })] }, ['routes[0].to[1]']],
  [{ destinations: { eu: {} } }, ['routes[0].to[0]']],
  [{ routes: [route({}), route({ mount: 'x', name: 'kv' })] }, ['routes[1].name']],
  [{ routes: [route({}), route({ exclude: ['a'] })] }, ['routes[1].name']],
  [{ routes: [route({}), route({ name: 'two', mount: '/kv/' })] }, ['routes[1]']],
  [{ routes: [route({}), route({ name: 'two', as: 'kv/{path}' })] }, ['routes[1]']],
  [{ routes: [route({ include: ['a', 'b'] }), route({ name: 'two', include: ['b', 'a'] })] }, ['routes[1]']],
  [{ routes: [route({}), route({ namespace: 'n' })] }, ['routes[1].as']],
  [{ routes: [route({ as: 'x/{path}' }), { mount: 'kv2', as: 'x/{path}' }] }, ['routes[1].as']],
  [{ routes: [route({ as: 'a=20b/{path}' }), { mount: 'a b' }] }, ['routes[1].as']],
  [{ routes: [route({ namespace: 'n', as: '{namespace}/{path}' }), { mount: 'n' }] }, ['routes[1].as']],
  [
    { routes: [route({ as: '{path}', include: ['a/**'] }), { mount: 'kv2', as: '{path}', include: ['a/b', 'c'] }] },
    ['routes[1].as'],
  ],
  [{ routes: [route({ as: 'a b/{path}' })] }, ['routes[0].as']],
  [{ routes: [route({ as: `${'x'.repeat(512)}{path}` })] }, ['routes[0].as']],
  [{ destinations: { default: { maxSecrets: 0 } } }, ['destinations.default.maxSecrets']],
  [{ destinations: { default: { maxSecrets: 500_001 } } }, ['destinations.default.maxSecrets']],
  [{ destinations: { 'a b': {} } }, ['destinations["a b"]']],
  [{ destinations: { default: { region: 'Europe' } } }, ['destinations.default.region']],
  [
    { destinations: { default: { endpoint: 'a', kmsKeyId: '' } } },
    ['destinations.default.endpoint', 'destinations.default.kmsKeyId'],
  ],
  [
    { destinations: { default: { versionTag: 'yes', onDelete: 'force' } } },
    ['destinations.default.onDelete', 'destinations.default.versionTag'],
  ],
  [deletion({ grace: '4m' }), ['destinations.default.deletion.grace']],
  [deletion({ grace: '31d' }), ['destinations.default.deletion.grace']],
  [deletion({ recoveryWindow: '6d' }), ['destinations.default.deletion.recoveryWindow']],
  [deletion({ recoveryWindow: '31d' }), ['destinations.default.deletion.recoveryWindow']],
  [deletion({ maxPerSweep: 0 }), ['destinations.default.deletion.maxPerSweep']],
  [deletion({ maxPerSweep: 10_001 }), ['destinations.default.deletion.maxPerSweep']],
  [deletion({ maxShare: '101%' }), ['destinations.default.deletion.maxShare']],
  [deletion({ maxShare: 0.05 }), ['destinations.default.deletion.maxShare']],
  [deletion({ maxShare: '5' }), ['destinations.default.deletion.maxShare']],
  [
    deletion({ replicas: 'yes', force: true }),
    ['destinations.default.deletion.force', 'destinations.default.deletion.replicas'],
  ],
  [{ destinations: tags({ 'aws:x': '' }) }, ['destinations.default.tags["aws:x"]']],
  [{ destinations: tags({ 'vaultferry:x': '' }) }, ['destinations.default.tags["vaultferry:x"]']],
  [{ destinations: tags({ version: '' }) }, ['destinations.default.tags.version']],
  [{ destinations: tags({ '': '' }) }, ['destinations.default.tags[""]']],
  [{ destinations: tags({ ['x'.repeat(128)]: '' }) }, [`destinations.default.tags.${'x'.repeat(128)}`]],
  [{ destinations: tags({ ['𐐀'.repeat(64)]: '' }) }, [`destinations.default.tags["${'𐐀'.repeat(64)}"]`]],
  [{ destinations: tags({ a: '𐐀'.repeat(128) }) }, ['destinations.default.tags.a']],
  [
    { destinations: tags({ a: 'v'.repeat(256), b: '%', c: 1 }) },
    ['a', 'b', 'c'].map((key) => `destinations.default.tags.${key}`),
  ],
  [
    { destinations: tags(Object.fromEntries(Array.from({ length: 41 }, (_, i) => [`k${i}`, '']))) },
    ['destinations.default.tags'],
  ],
  [{ notify: {} }, ['notify']],
];

t.test('what fits together is accepted', async (t) => {
  for (const sections of VALID) t.same(problemsOf(withSections(sections)), [], JSON.stringify(sections));
});

t.test('what does not fit is refused under its key', async (t) => {
  for (const [sections, keys] of WRONG) t.same(wrongKeys(sections), keys, JSON.stringify(sections));
});

t.test('a wrong destination is answered with those that there are', async (t) => {
  const texts = (to: string) => problemsOf(withSections({ routes: [route({ to: [to] })] })).map(({ text }) => text);
  t.same(texts('defualt'), ['names no destination; did you mean default?']);
  t.same(texts('eu'), ['names no destination; there are default']);
});

const BOTH: Role[] = ['ingress', 'worker'];
const V2 = withSections({ routes: [{ mount: 'kv', kvVersion: 2 }] });
const PULL = withSections({ ingress: false, routes: [{ mount: 'kv', kvVersion: 2 }], vault: { address: 'http://a' } });

t.test('each role needs what it uses', async (t) => {
  const keys = (text: string, roles: Role[]) => checkRoles(parse(text), new Set(roles)).map(({ key }) => key);
  t.same(keys(MINIMAL, BOTH), []);
  t.same(keys(FULL, BOTH), []);
  t.same(keys(V2, ['ingress']), []);
  t.same(keys(V2, ['worker']), ['vault.address', 'vault.auth']);
  t.same(keys(withSections({}), ['ingress']), ['vault.address', 'vault.auth']);
  t.same(keys(PULL, BOTH), ['vault.auth']);
  t.same(keys(PULL, ['ingress']), ['ingress']);
});

t.test('who may connect to the socket, where no addresses are listed', async (t) => {
  const loopback = ['127.0.0.1/32', '::1/128'];
  const everyone = ['0.0.0.0/0', '::/0'];
  const mutual = { ...tls, clientCaFile: 'a' };
  for (const [ingress, allow] of [
    [{}, loopback],
    [{ socket: 'tcp://0.0.0.0:9090', insecure: true }, everyone],
    [{ socket: 'tls://0.0.0.0:9090', tls }, loopback],
    [{ socket: 'tls://0.0.0.0:9090', tls: mutual }, everyone],
    [{ socket: 'tls://0.0.0.0:9090', tls: mutual, allow: ['10.0.0.0/8'] }, ['10.0.0.0/8']],
    [{ socket: 'tcp://127.0.0.1:0', tls: mutual, http: { ...http, listen: 'https://127.0.0.1:0' } }, loopback],
    [{ socket: false, tls: mutual, http: { ...http, listen: 'https://127.0.0.1:0' } }, loopback],
  ] as const) {
    t.match(parse(withSections({ ingress })), { ingress: { allow } });
  }
});

t.test('an ingress alone asks Vault only where a route leaves the KV version to it', async (t) => {
  const asks = (text: string, ...roles: Role[]) => asksVault(parse(text), new Set(roles));
  const told = withSections({ routes: [{ mount: 'kv', kvVersion: 2 }] });
  const auto = withSections({ routes: [{ mount: 'kv', kvVersion: 2 }, { mount: 'other' }] });
  t.same([asks(told, 'ingress'), asks(auto, 'ingress'), asks(told, 'ingress', 'worker')], [false, true, true]);
});
