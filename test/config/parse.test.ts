import fc from 'fast-check';
import t from 'tap';
import { stringify } from 'yaml';
import { resolveConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/errors.ts';
import { parseConfig } from '../../src/config/load.ts';
import { effectiveConfig } from '../../src/config/print.ts';
import { CONFIG_NODE, createValidator } from '../../src/config/validate.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { ENV, FULL, MINIMAL, parse, problemsOf, withSections, wrongKeys } from './examples.ts';

t.test('the least configuration has every default', async (t) => {
  const config = parseConfig(MINIMAL, ENV);
  t.equal(config.vault.auth?.token?.reveal(), 'canary-vault');
  t.same(effectiveConfig(config), {
    vault: {
      id: 'vault',
      address: 'http://127.0.0.1:8200',
      timeout: '5s',
      auth: { method: 'token', token: '[redacted]' },
    },
    ingress: {
      socket: 'tcp://127.0.0.1:9090',
      socketMode: '0660',
      insecure: false,
      allow: ['127.0.0.1/32', '::1/128'],
      maxConnections: 256,
      maxLineBytes: '1MiB',
    },
    admin: { listen: 'http://127.0.0.1:8081' },
    queue: {
      url: 'http://127.0.0.1:5000/123456789012/vaultferry.fifo',
      deadLetterUrl: 'http://127.0.0.1:5000/123456789012/vaultferry-dlq.fifo',
      visibilityTimeout: '30s',
      maxReceives: 10,
    },
    worker: { concurrency: 16, writesPerSecond: 40 },
    routes: [
      {
        name: 'hybrid-aws-secrets',
        namespace: '',
        mount: 'hybrid-aws-secrets',
        kvVersion: 'auto',
        include: ['**'],
        exclude: [],
        to: ['default'],
        as: '{mount}/{path}',
      },
    ],
    destinations: {
      default: {
        ...{ tags: {}, versionTag: true, maxSecrets: 1000, onDelete: 'retain' },
        deletion: { grace: '15m', recoveryWindow: '30d', maxPerSweep: 10, maxShare: '5%', replicas: false },
      },
    },
    sweep: { every: '1h', minGap: '1m', vaultRequestsPerSecond: 50 },
    log: { level: 'info' },
  });
});

t.test('every key is read into what the program works with', async (t) => {
  t.same(parse(FULL), {
    vault: {
      id: 'vault',
      address: 'https://vault.example:8200',
      caFile: '/etc/ssl/vault-ca.pem',
      timeout: 5000,
      auth: { method: 'token', tokenFile: '/run/secrets/vault-token' },
    },
    ingress: {
      socket: { kind: 'unix', path: '/run/vaultferry/audit.sock' },
      socketMode: 0o620,
      socketGroup: 'vault',
      insecure: false,
      tls: {
        certFile: '/etc/vaultferry/cert.pem',
        keyFile: '/etc/vaultferry/key.pem',
        clientCaFile: '/etc/vaultferry/ca.pem',
      },
      allow: ['127.0.0.1/32', '::1/128'],
      maxConnections: 100,
      maxLineBytes: 1_048_576,
      http: {
        listen: { host: '127.0.0.1', port: 8080, tls: true },
        tokens: [new Sensitive('canary-audit')],
        allow: ['10.0.0.0/8'],
        rateLimit: { max: 5000, window: 1000 },
      },
    },
    admin: {
      listen: { host: '127.0.0.1', port: 8081, tls: true },
      token: new Sensitive('canary-admin'),
      tls: { certFile: '/etc/vaultferry/cert.pem', keyFile: '/etc/vaultferry/key.pem' },
    },
    queue: {
      url: 'https://sqs.eu-west-1.amazonaws.com/123456789012/vaultferry.fifo',
      deadLetterUrl: 'https://sqs.eu-west-1.amazonaws.com/123456789012/vaultferry-dlq.fifo',
      visibilityTimeout: 30_000,
      maxReceives: 10,
    },
    worker: { concurrency: 16, writesPerSecond: 40 },
    routes: [
      {
        name: 'app-secrets',
        namespace: 'team-a',
        mount: 'hybrid-aws-secrets',
        kvVersion: 2,
        include: ['**'],
        exclude: ['tmp/**'],
        to: ['default'],
        as: '{mount}/{path}',
      },
    ],
    destinations: {
      default: {
        region: 'eu-west-1',
        endpoint: 'http://127.0.0.1:5000',
        kmsKeyId: 'alias/hybrid-aws-secrets',
        tags: { team: 'platform' },
        versionTag: true,
        maxSecrets: 1000,
        onDelete: 'schedule',
        deletion: { grace: 600_000, recoveryDays: 7, maxPerSweep: 20, maxShare: 0.07, replicas: true },
      },
    },
    sweep: { every: 3_600_000, minGap: 0, vaultRequestsPerSecond: 50 },
    log: { level: 'info' },
  });
});

t.test('what is printed is read back as the same configuration, secrets aside', async (t) => {
  const others = withSections({ ingress: { socket: false, http: { listen: 'http://[::1]:0', tokens: ['t'] } } });
  for (const text of [MINIMAL, FULL, others, withSections({ ingress: false })]) {
    const printed = effectiveConfig(parse(text));
    t.same(effectiveConfig(parse(stringify(printed))), printed);
    t.notMatch(JSON.stringify(printed), 'canary');
  }
});

t.test('an empty mapping of destinations is the default one; others are as they are written', async (t) => {
  t.same(Object.keys(parse(withSections({ destinations: {} })).destinations), ['default']);
  const config = parse(withSections({ destinations: { eu: {} }, routes: [{ mount: 'kv', to: ['eu'] }] }));
  const deletion = { grace: 900_000, recoveryDays: 30, maxPerSweep: 10, maxShare: 0.05, replicas: false };
  t.same(config.destinations, { eu: { tags: {}, versionTag: true, maxSecrets: 1000, onDelete: 'retain', deletion } });
});

t.test('a recovery window counts in whole days, and every share is printed as it is read', async (t) => {
  const withDeletion = (deletion: object) => parse(withSections({ destinations: { default: { deletion } } }));
  for (const [recoveryWindow, days] of [
    ['7d', 7],
    ['191h', 7],
    ['192h', 8],
    ['30d', 30],
  ] as const) {
    t.equal(withDeletion({ recoveryWindow }).destinations['default']?.deletion.recoveryDays, days, recoveryWindow);
  }
  const shown = (maxShare: string) =>
    /(?<="maxShare":")[^"]*/.exec(JSON.stringify(effectiveConfig(withDeletion({ maxShare }))))?.[0];
  const shares = Array.from({ length: 1_001 }, (_, tenths) => `${tenths / 10}%`);
  t.same(
    shares.filter((share) => shown(share) !== share),
    [],
  );
});

t.test('a route without a name is called after its mount', async (t) => {
  const routes = [{ mount: '/team/kv/' }, { mount: 'a:b', namespace: 'n/' }];
  t.same(
    parse(withSections({ routes })).routes.map(({ name, namespace, mount }) => [name, namespace, mount]),
    [
      ['team/kv', '', 'team/kv'],
      ['n:a%3Ab', 'n', 'a:b'],
    ],
  );
});

t.test('variables are filled in, and numbers and switches made of them', async (t) => {
  const worker = { concurrency: `\${N}`, writesPerSecond: 1 };
  const ingress = {
    socket: `\${OFF}`,
    maxLineBytes: `\${N}000`,
    http: { listen: `http://127.0.0.1:\${N}`, tokens: [`\${ODD}`] },
  };
  const env = { N: '12', OFF: 'false', ODD: '# "x"\n' };
  const config = parse(withSections({ worker, ingress }), env);
  t.equal(config.worker.concurrency, 12);
  t.match(config.ingress, { socket: false, maxLineBytes: 12_000, http: { listen: { port: 12 } } });
  t.equal(config.ingress === false || config.ingress.http?.tokens[0]?.reveal(), '# "x"\n');
  t.equal(parse(withSections({ ingress: `\${OFF}` }), env).ingress, false);
  t.same(wrongKeys({ worker: { concurrency: '12' } }), ['worker.concurrency']);
});

t.test('an unset variable is one problem, not two', async (t) => {
  t.same(problemsOf(withSections({ sweep: { every: `\${NOPE}` } })), [
    { key: 'sweep.every', text: 'the environment variable NOPE is not set' },
  ]);
});

t.test('everything wrong is said at once, sorted, with what was expected and the nearest known key', async (t) => {
  const text = `
vault: { adress: canary, timeout: 1ms, auth: { method: canary } }
queue: { url: canary, dead_letter_url: canary }
routes: [{ mount: / }, { mount: kv, to: [canary], xyzzy: 1 }]
admin: { listen: "http://0.0.0.0:1" }
quueu: 1
`;
  t.same(problemsOf(text), [
    { key: 'admin.listen', text: 'is off loopback, so that anyone could read it; set admin.token' },
    {
      key: 'queue.deadLetterUrl',
      text: 'is missing; expected the http or https URL of a FIFO queue, without credentials; it ends in .fifo',
    },
    { key: 'queue.dead_letter_url', text: 'is not a known key; did you mean deadLetterUrl?' },
    { key: 'queue.url', text: 'expected the http or https URL of a FIFO queue, without credentials; it ends in .fifo' },
    { key: 'quueu', text: 'is not a known key; did you mean queue?' },
    { key: 'routes[0].mount', text: 'expected the path of a mount, such as secret or team/kv' },
    {
      key: 'routes[1].xyzzy',
      text: 'is not a known key; expected one of name, namespace, mount, kvVersion, include, exclude, to, as',
    },
    { key: 'vault.adress', text: 'is not a known key; did you mean address?' },
    { key: 'vault.auth.method', text: 'expected one of token, approle, aws, kubernetes' },
    { key: 'vault.timeout', text: 'expected a duration from 100ms to 1m, in ms, s, m, h or d' },
  ]);
  t.throws(() => parse(text), {
    name: 'ConfigError',
    message: /^admin\.listen: is off loopback.*\nqueue\.deadLetterUrl: /,
  });
});

t.test('a file that is no mapping is one problem', async (t) => {
  for (const text of ['canary', '[canary]', '7', '- canary']) {
    t.same(problemsOf(text), [{ key: '', text: 'expected a mapping of keys' }], text);
  }
  t.same(
    problemsOf('').map(({ key }) => key),
    ['queue.deadLetterUrl', 'queue.url', 'routes'],
  );
});

const places = (node: unknown, path: (string | number)[]): (string | number)[][] => {
  if (typeof node !== 'object' || node === null) return [path];
  return [
    path,
    ...Object.entries(node).flatMap(([key, child]) =>
      places(child, [...path, Array.isArray(node) ? Number(key) : key]),
    ),
  ];
};

const replaced = (node: unknown, path: (string | number)[], value: unknown): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(node)) return node.map((entry, i) => (i === key ? replaced(entry, rest, value) : entry));
  return { ...Object(node), [key]: replaced(Object(node)[key], rest, value) };
};

t.test('no value is ever shown, wherever a secret was put by mistake', async (t) => {
  const tree = effectiveConfig(parse(FULL));
  const canaries = [
    's3cr3t canary',
    ['s3cr3t'],
    [{ a: 's3cr3t' }],
    { mount: 's3cr3t' },
    5353535353,
    `s3cr3t\${`,
    `\${s3cr3t!}`,
  ];
  for (const path of places(tree, []))
    for (const canary of canaries) {
      const text = JSON.stringify(problemsOf(JSON.stringify(replaced(tree, path, canary))));
      t.notMatch(text, /s3cr3t|5353535353/, path.join('.'));
    }
});

t.test('anything at all ends in a configuration or a ConfigError', async () => {
  const keys = Object.keys(CONFIG_NODE.properties ?? {});
  const values = fc.anything({ maxDepth: 3, withNullPrototype: false });
  const trees = fc.oneof(values, fc.dictionary(fc.constantFrom(...keys, '__proto__', 'x'), values));
  fc.assert(
    fc.property(trees, (tree) => {
      problemsOf(JSON.stringify(tree) ?? '');
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      problemsOf(text);
    }),
  );
});

t.test('a file that was never checked is refused rather than misread', async (t) => {
  const { file } = createValidator()(JSON.parse(withSections({})));
  if (file === undefined) throw new Error('the example is not valid');
  t.throws(() => resolveConfig({ ...file, sweep: { ...file.sweep, every: 'soon' } }), TypeError);
});

t.test('the message of an error without a key is its text', async (t) => {
  t.equal(
    new ConfigError([
      { path: [], text: 'a' },
      { path: ['b', 0], text: 'c' },
    ]).message,
    'a\nb[0]: c',
  );
});
