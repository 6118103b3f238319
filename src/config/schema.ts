import { array, optional, type Static, string } from '../typed-schema.ts';
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
  method: oneOf(['token', 'approle', 'aws', 'kubernetes'], { description: 'How VaultFerry logs in to Vault.' }),
  mount: optional(
    formatted('mount', { description: 'For approle, aws, kubernetes: where the auth method is; else its own name.' }),
  ),
  namespace: optional(
    formatted('namespace', { description: 'Namespace that issues the token; else the root namespace.' }),
  ),
  token: optional(secret({ description: 'For token: the Vault token; it is renewed while it may be.' })),
  tokenFile: optional(
    text({ description: 'For token: a file that holds the token; read again when it changes or on a 403.' }),
  ),
  connectionSecret: optional(
    text({
      description:
        'For token: name or ARN of a Secrets Manager secret {"vaultAddress", "vaultToken"}, instead of both here; ' +
        'read again every five minutes and on a 403.',
    }),
  ),
  roleId: optional(text({ description: 'For approle: the role-id.' })),
  roleIdFile: optional(text({ description: 'For approle: a file that holds it; read at each login.' })),
  secretId: optional(secret({ description: 'For approle: the secret-id.' })),
  secretIdFile: optional(text({ description: 'For approle: a file that holds it; read at each login.' })),
  role: optional(text({ description: "For aws, kubernetes: the auth method's role." })),
  region: optional(
    formatted('region', { description: "For aws: whose STS endpoint Vault asks; else AWS's global one." }),
  ),
  header: optional(text({ description: 'For aws: the X-Vault-AWS-IAM-Server-ID that Vault asks for.' })),
  jwtFile: optional(
    text({ description: "For kubernetes: a file that holds the JWT, read at each login; else the service account's." }),
  ),
});

const vault = section(
  {
    id: formatted('vault-id', { default: 'vault', description: 'Names this Vault in the tags of its copies.' }),
    address: optional(formatted('origin', { description: "Vault's address." })),
    caFile: optional(text({ description: "PEM certificates that sign Vault's, instead of the system's." })),
    timeout: duration('100ms', '1m', { default: '5s', description: 'Time limit of each request to Vault.' }),
    auth: optional(auth),
  },
  'Where secrets come from. An ingress whose routes all name a kvVersion needs neither address nor auth.',
);

const certificate = {
  certFile: text({ description: 'PEM certificate and its chain; read again on SIGHUP, as are the other files here.' }),
  keyFile: text({ description: 'PEM private key of that certificate, without a passphrase.' }),
};

const ingressTls = mapping({
  ...certificate,
  clientCaFile: optional(
    text({ description: 'PEM certificates that sign those of senders; senders without one are then turned away.' }),
  ),
});

const http = mapping({
  listen: formatted('http-address', {
    description: 'Where `POST /v1/audit` listens, `http://` or `https://`; without `ingress.http`, nowhere.',
  }),
  tokens: secrets({ description: 'Bearer tokens, any of which opens the door; read again on SIGHUP.' }),
  allow: optional(
    formattedList('network', { description: 'Addresses and networks that may post; else whoever has a token.' }),
  ),
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
            'Where the audit device connects: `tcp://host:port`, `tls://host:port`, `unix:/path`, or false if HTTP is ' +
            'the only door.',
        }),
      ),
      socketMode: formatted('octal-mode', { default: '0660', description: 'File mode of a unix socket.' }),
      socketGroup: optional(text({ description: 'Group of a unix socket, when Vault runs as another user.' })),
      insecure: flag({
        default: false,
        description: 'Lets anyone connect to a socket off loopback that has neither TLS nor an `allow` of its own.',
      }),
      tls: optional(ingressTls),
      allow: optional(
        formattedList('network', {
          description:
            'Addresses and networks that may connect to the socket; else anyone where `clientCaFile` or `insecure` ' +
            'says so, and otherwise 127.0.0.1 and ::1.',
        }),
      ),
      maxConnections: count(1, 10_000, {
        default: 256,
        description:
          'Connections to each door at once. To a new one gives way one that has shown no valid line or token, else ' +
          'one that is silent.',
      }),
      maxLineBytes: size('512', '64MiB', {
        default: '1MiB',
        description: 'A longer audit line is skipped and counted.',
      }),
      http: optional(http),
    },
    'Receives audit entries. `ingress: false` turns it off: sweeps alone replicate.',
  ),
);

const admin = section(
  {
    listen: formatted('http-address', {
      default: 'http://127.0.0.1:8081',
      description: 'Where health, metrics and status are served, `http://` or `https://`.',
    }),
    token: optional(
      secret({
        description: 'Bearer token of all but /healthz and /readyz; required off loopback; read again on SIGHUP.',
      }),
    ),
    tls: optional(mapping(certificate)),
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
  name: optional(formatted('route-name', { description: 'Unique; stands in each copy. Else `[namespace:]mount`.' })),
  namespace: formatted('namespace', { default: '', description: 'Namespace of the mount; "" is the root namespace.' }),
  mount: formatted('mount', { description: 'Path of the KV mount.' }),
  kvVersion: oneOf(['auto', 1, 2], { default: 'auto', description: 'Version of the KV mount; `auto` asks Vault.' }),
  include: texts(1, {
    default: ['**'],
    description:
      'Globs on the path below the mount: what is replicated. A part with brackets has at most two `*`, and repeats no ' +
      'group that may take one text in several ways (`+(a|aa)`): matching it could take for ever.',
  }),
  exclude: texts(0, { default: [], description: 'Globs on the path below the mount: what of it is not.' }),
  to: texts(1, { default: ['default'], description: 'Names of the destinations.' }),
  as: formatted('name-template', {
    default: '{mount}/{path}',
    description: 'Name of the copy, made of `{namespace}`, `{mount}` and `{path}`.',
  }),
});

const destination = mapping({
  region: optional(formatted('region', { description: "AWS region; else the SDK's." })),
  endpoint: optional(formatted('url', { description: "Address of Secrets Manager; else the SDK's." })),
  kmsKeyId: optional(text({ description: 'KMS key of the copies: id, ARN or alias; else aws/secretsmanager.' })),
  tags: named('tag-key', string({ format: 'tag-value' }), {
    default: {},
    maxProperties: 40,
    description: 'Tags of your own on each copy.',
  }),
  versionTag: flag({ default: true, description: "Whether the tag `version` shows Vault's version number." }),
  maxSecrets: count(1, 500_000, {
    default: 1000,
    description: 'Copies that VaultFerry keeps there; past them none is created. Each costs about $0.40 a month.',
  }),
  onDelete: oneOf(['retain', 'schedule'], {
    default: 'retain',
    description: 'The copy of a deleted secret is kept and marked, or its deletion is scheduled after the grace.',
  }),
  deletion: section(
    {
      grace: duration('5m', '30d', { default: '15m', description: 'How long a copy stays marked before that.' }),
      recoveryWindow: duration('7d', '30d', {
        default: '30d',
        description: 'How long a deletion can be undone, in whole days.',
      }),
      maxPerSweep: count(1, 10_000, {
        default: 10,
        description: 'More deletions at once, or more than the share, wait for an approval.',
      }),
      maxShare: formatted('percent', { default: '5%', description: 'The same as a share of all copies there.' }),
      replicas: flag({
        default: false,
        description: 'Whether copies with replicas are deleted too: replicas go at once, for good.',
      }),
    },
    'What `onDelete: schedule` keeps to.',
  ),
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
  routes: array(route, { minItems: 1, description: 'Which secrets go where, under which name.' }),
  destinations: named('destination-name', destination, {
    default: { default: {} },
    description: 'Where copies are kept, by name; without any there is one called `default`.',
  }),
  sweep,
  log,
});

/** The file once read: variables replaced, defaults filled in, units as they are spelled. */
export type ConfigFile = Static<typeof ConfigSchema>;
