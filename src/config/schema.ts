import Type from 'typebox';
import {
  count,
  duration,
  flag,
  formatted,
  formattedList,
  mapping,
  named,
  oneOf,
  orFalse,
  secret,
  secrets,
  section,
  size,
  text,
  texts,
} from './leaves.ts';

// The one place where a key is declared. From here come the type of the file, its validator and defaults, the JSON
// Schema of `config schema` and the table in docs/configuration.md. A key with a default is always there once read.

const auth = mapping({
  method: oneOf(['token'], { description: 'How VaultFerry logs in to Vault.' }),
  token: Type.Optional(secret({ description: 'The Vault token; it is renewed while it may be.' })),
  tokenFile: Type.Optional(
    text({ description: 'A file that holds the token; read again when it changes or on a 403.' }),
  ),
});

const vault = section(
  {
    id: formatted('vault-id', { default: 'vault', description: 'Names this Vault in the tags of its copies.' }),
    address: Type.Optional(formatted('origin', { description: "Vault's address." })),
    caFile: Type.Optional(text({ description: "PEM certificates that sign Vault's, instead of the system's." })),
    timeout: duration('100ms', '1m', { default: '5s', description: 'Time limit of each request to Vault.' }),
    auth: Type.Optional(auth),
  },
  'Where secrets come from. An ingress whose routes all name a kvVersion needs neither address nor auth.',
);

const http = mapping({
  listen: formatted('http-address', {
    description: 'Where `POST /v1/audit` listens; without `ingress.http`, nowhere.',
  }),
  tokens: secrets({ description: 'Bearer tokens, any of which opens the door.' }),
  rateLimit: section(
    {
      max: count(1, 1_000_000, { default: 5000, description: 'Requests a sender may make in a window.' }),
      window: duration('100ms', '1h', { default: '1s', description: 'Length of that window.' }),
    },
    'Limit of requests of one sender.',
  ),
});

const ingress = orFalse(
  'object',
  section(
    {
      socket: orFalse(
        'string',
        formatted('socket-address', {
          default: 'tcp://127.0.0.1:9090',
          description:
            'Where the audit device connects: `tcp://host:port`, `unix:/path`, or false if HTTP is the only door.',
        }),
      ),
      socketMode: formatted('octal-mode', { default: '0660', description: 'File mode of a unix socket.' }),
      socketGroup: Type.Optional(text({ description: 'Group of a unix socket, when Vault runs as another user.' })),
      insecure: flag({ default: false, description: 'Allows a socket off loopback without an `allow` of its own.' }),
      allow: formattedList('network', {
        default: ['127.0.0.1/32', '::1/128'],
        description: 'Addresses and networks that may connect.',
      }),
      maxLineBytes: size('512', '64MiB', {
        default: '1MiB',
        description: 'A longer audit line is skipped and counted.',
      }),
      http: Type.Optional(http),
    },
    'Receives audit entries. `ingress: false` turns it off: sweeps alone replicate.',
  ),
);

const admin = section(
  {
    listen: formatted('http-address', {
      default: 'http://127.0.0.1:8081',
      description: 'Where health, metrics and status are served.',
    }),
    token: Type.Optional(
      secret({ description: 'Bearer token of all but /healthz and /readyz; required off loopback.' }),
    ),
  },
  'The administration endpoint.',
);

const queue = section(
  {
    url: formatted('fifo-url', { description: 'The SQS FIFO queue that carries changes to the workers.' }),
    deadLetterUrl: formatted('fifo-url', { description: 'The FIFO queue for changes that cannot be replicated.' }),
    visibilityTimeout: duration('10s', '11h', {
      default: '30s',
      description: "How long a dead worker's messages stay hidden; a living one extends it.",
    }),
    maxReceives: count(1, 99, { default: 10, description: 'Receives after which a failing change is parked.' }),
  },
  'The queue between ingress and workers.',
);

const worker = section(
  {
    concurrency: count(1, 256, { default: 16, description: 'Secrets that one worker replicates at the same time.' }),
    writesPerSecond: count(1, 50, {
      default: 40,
      description: "Writes of one worker to one account and region; AWS's own quota is 50.",
    }),
  },
  'The role that writes to Secrets Manager.',
);

const route = mapping({
  name: Type.Optional(
    formatted('route-name', { description: 'Unique; stands in each copy. Else `[namespace:]mount`.' }),
  ),
  namespace: formatted('namespace', { default: '', description: 'Namespace of the mount; "" is the root namespace.' }),
  mount: formatted('mount', { description: 'Path of the KV mount.' }),
  kvVersion: oneOf(['auto', 2], { default: 'auto', description: 'Version of the KV mount; `auto` asks Vault.' }),
  include: texts(1, { default: ['**'], description: 'Globs on the path below the mount: what is replicated.' }),
  exclude: texts(0, { default: [], description: 'Globs on the path below the mount: what of it is not.' }),
  to: texts(1, { default: ['default'], description: 'Names of the destinations.' }),
  as: formatted('name-template', {
    default: '{mount}/{path}',
    description: 'Name of the copy, made of `{namespace}`, `{mount}` and `{path}`.',
  }),
});

const destination = mapping({
  region: Type.Optional(formatted('region', { description: "AWS region; else the SDK's." })),
  endpoint: Type.Optional(formatted('url', { description: "Address of Secrets Manager; else the SDK's." })),
  kmsKeyId: Type.Optional(text({ description: 'KMS key of the copies: id, ARN or alias; else aws/secretsmanager.' })),
  tags: named('tag-key', Type.String({ format: 'tag-value' }), {
    default: {},
    maxProperties: 40,
    description: 'Tags of your own on each copy.',
  }),
  versionTag: flag({ default: true, description: "Whether the tag `version` shows Vault's version number." }),
  maxSecrets: count(1, 500_000, {
    default: 1000,
    description: 'Copies that VaultFerry keeps there; past them none is created. Each costs about $0.40 a month.',
  }),
  onDelete: oneOf(['retain'], { default: 'retain', description: 'The copy of a deleted secret is kept and marked.' }),
});

const sweep = section(
  {
    every: duration('1m', '30d', { default: '1h', description: 'How often everything is compared.' }),
    minGap: duration('0s', '1d', { default: '1m', description: 'Least time between the beginnings of two sweeps.' }),
    vaultRequestsPerSecond: count(1, 10_000, { default: 50, description: 'What a sweep may ask of Vault.' }),
  },
  'The comparison that repairs what a push has missed.',
);

const log = section(
  {
    level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      default: 'info',
      description: 'The least severe kind of line that is logged.',
    }),
  },
  'Logs.',
);

export const ConfigSchema = mapping({
  vault,
  ingress,
  admin,
  queue,
  worker,
  routes: Type.Array(route, { minItems: 1, description: 'Which secrets go where, under which name.' }),
  destinations: named('destination-name', destination, {
    default: { default: {} },
    description: 'Where copies are kept, by name; without any there is one called `default`.',
  }),
  sweep,
  log,
});

/** The file once read: variables replaced, defaults filled in, units as they are spelled. */
export type ConfigFile = Type.Static<typeof ConfigSchema>;
