import { ConfigError, type Problem } from '../../src/config/errors.ts';
import { parseConfig } from '../../src/config/load.ts';
import { createValidator } from '../../src/config/validate.ts';

/** The least configuration of the documentation. */
export const MINIMAL = `
vault:
  address: http://127.0.0.1:8200
  auth: { method: token, token: "\${VAULT_TOKEN}" }
queue:
  url: http://127.0.0.1:5000/123456789012/vaultferry.fifo
  deadLetterUrl: http://127.0.0.1:5000/123456789012/vaultferry-dlq.fifo
routes:
  - { mount: hybrid-aws-secrets }
`;

/** Every key, with a value that is not always the default. */
export const FULL = `
vault:
  id: vault
  address: https://vault.example:8200/
  caFile: /etc/ssl/vault-ca.pem
  timeout: 5s
  auth: { method: token, tokenFile: /run/secrets/vault-token }
ingress:
  socket: unix:/run/vaultferry/audit.sock
  socketMode: "0620"
  socketGroup: vault
  insecure: false
  tls: { certFile: /etc/vaultferry/cert.pem, keyFile: /etc/vaultferry/key.pem, clientCaFile: /etc/vaultferry/ca.pem }
  allow: [127.0.0.1/32, "::1/128"]
  maxConnections: 100
  maxLineBytes: 1MiB
  http:
    listen: https://127.0.0.1:8080
    tokens: ["\${AUDIT_TOKEN}"]
    allow: [10.0.0.0/8]
    rateLimit: { max: 5000, window: 1s }
admin:
  listen: https://127.0.0.1:8081
  token: "\${ADMIN_TOKEN}"
  tls: { certFile: /etc/vaultferry/cert.pem, keyFile: /etc/vaultferry/key.pem }
queue:
  url: https://sqs.eu-west-1.amazonaws.com/123456789012/vaultferry.fifo
  deadLetterUrl: https://sqs.eu-west-1.amazonaws.com/123456789012/vaultferry-dlq.fifo
  visibilityTimeout: 30s
  maxReceives: 10
worker: { concurrency: 16, writesPerSecond: 40 }
routes:
  - name: app-secrets
    namespace: "/team-a/"
    mount: hybrid-aws-secrets/
    kvVersion: 2
    include: ["**"]
    exclude: ["tmp/**"]
    to: [default]
    as: "{mount}/{path}"
destinations:
  default:
    region: eu-west-1
    endpoint: http://127.0.0.1:5000
    kmsKeyId: alias/hybrid-aws-secrets
    tags: { team: platform }
    versionTag: true
    maxSecrets: 1000
    onDelete: schedule
    deletion: { grace: 10m, recoveryWindow: 7d, maxPerSweep: 20, maxShare: 7%, replicas: true }
sweep: { every: 1h, minGap: 0s, vaultRequestsPerSecond: 50 }
log: { level: info }
`;

export const ENV = { VAULT_TOKEN: 'canary-vault', AUDIT_TOKEN: 'canary-audit', ADMIN_TOKEN: 'canary-admin' };

const validate = createValidator();

/** parseConfig with a validator compiled once. */
export const parse = (text: string, env: NodeJS.ProcessEnv = ENV) => parseConfig(text, env, validate);

/** What is wrong with a configuration; empty when it is valid. Anything but a ConfigError is thrown on. */
export function problemsOf(text: string, env: NodeJS.ProcessEnv = ENV): readonly Problem[] {
  try {
    parse(text, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const SECTIONS = {
  queue: { url: 'http://127.0.0.1/1/a.fifo', deadLetterUrl: 'http://127.0.0.1/1/b.fifo' },
  routes: [{ mount: 'kv' }],
};

/** A valid configuration with some of its sections replaced, as JSON. */
export const withSections = (sections: Record<string, unknown>): string => JSON.stringify({ ...SECTIONS, ...sections });

/** The keys that are wrong when these sections replace those of a valid configuration. */
export const wrongKeys = (sections: Record<string, unknown>): string[] =>
  problemsOf(withSections(sections)).map(({ key }) => key);
