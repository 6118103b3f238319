import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Fault, startFaultProxy } from '../servers/fault-proxy.ts';
import { until } from '../servers/until.ts';
import { REPLICATOR } from './setting.ts';
import { isReady, startWorld } from './world.ts';

const REPAIRED_WITHIN = 45_000;
const DESTINATION = 'destinations.default';

const world = await startWorld({
  lasting: true,
  ferries: { door: { roles: ['ingress'], config: { vault: undefined } }, first: { roles: ['worker'] } },
});
const { aws, bao, ferries, roto, write } = world;
const proxy = await startFaultProxy(roto.endpoint);
t.teardown(async () => {
  await world.end();
  await proxy.close();
});

// The worker that is watched reaches AWS through the proxy, and has a token that can be taken from it.
const tokenFile = join(t.testdir(), 'token');
const newToken = async (): Promise<string> => {
  const made = await bao.request('POST', 'auth/token/create', { policies: [REPLICATOR, 'default'] });
  const { client_token: token } = (made.body as { auth: { client_token: string } }).auth;
  await writeFile(`${tokenFile}.new`, token);
  await rename(`${tokenFile}.new`, tokenFile);
  return token;
};
let token = await newToken();
await ferries.get('first').stop();
const worker = await ferries.start('worker', {
  roles: ['worker'],
  env: { AWS_ENDPOINT_URL: proxy.endpoint },
  config: { vault: { auth: { method: 'token', tokenFile } } },
});
await isReady(world, 'worker');

const paths = (folder: string, count = 6) => Array.from({ length: count }, (_, number) => `${folder}/${number}`);
const writeAll = async (secrets: readonly string[]) => {
  for (const path of secrets) await write(path);
};
const enqueue = (secrets: readonly string[]) => ferries.run(['replicate', ...secrets.map((path) => `kv/${path}`)]);
const isSecretsManager = (service: string) => service === 'secretsmanager';
const failing = (fault: Fault) => (_: string, service: string) => (isSecretsManager(service) ? fault : undefined);

/** Lines of pausing and resuming since `from`, by reason. */
const pauses = (reason: string, from: number) =>
  worker
    .logs()
    .slice(from)
    .filter((line) => line['reason'] === reason && String(line['event']).startsWith('consumer.'))
    .map(({ event }) => event);

interface Outage {
  readonly reason: string;
  /** Copies that must be equal at the end. */
  readonly secrets: readonly string[];
  /** Takes the part away, with work at hand. */
  readonly begin: () => Promise<unknown>;
  /** While it is away. */
  readonly during?: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

async function stage(t: Test, { reason, secrets, begin, during = async () => {}, end }: Outage): Promise<void> {
  const from = worker.logs().length;
  const known = new Map(proxy.receives);
  const told = (event: string) =>
    until(() => pauses(reason, from).includes(event), { what: `${event} ${reason}`, deadline: REPAIRED_WITHIN });
  await begin();
  await told('consumer.paused');
  t.match(
    (await ferries.ask('worker', 'admin', '/metrics')).body,
    `vaultferry_consumer_paused{reason="${reason}"} 1\n`,
  );
  await during();
  await end();
  await told('consumer.resumed');
  await world.equal(secrets, REPAIRED_WITHIN);
  await world.settled(REPAIRED_WITHIN);
  t.strictSame(pauses(reason, from), ['consumer.paused', 'consumer.resumed'], 'told once each');
  t.match(
    (await ferries.ask('worker', 'admin', '/metrics')).body,
    `vaultferry_consumer_paused{reason="${reason}"} 0\n`,
  );
  const more = [...proxy.receives].filter(([id, receives]) => !known.has(id) && receives > 2);
  t.strictSame(more, [], 'no message was received more than once more');
}

t.test('OpenBao killed under queued changes, and back', async (t) => {
  const secrets = paths('killed');
  await stage(t, {
    reason: 'vault',
    secrets,
    begin: async () => {
      await writeAll(secrets);
      bao.kill('SIGKILL');
      await enqueue(secrets);
    },
    during: () => enqueue(secrets),
    end: bao.restart,
  });
});

t.test('OpenBao sealed, and unsealed', async (t) => {
  const secrets = paths('sealed');
  await stage(t, {
    reason: 'vault',
    secrets,
    begin: async () => {
      await writeAll(secrets);
      t.equal((await bao.request('PUT', 'sys/seal')).status, 204);
      await enqueue(secrets);
    },
    end: bao.restart,
  });
});

t.test('the token revoked, and replaced in its file', async (t) => {
  const secrets = paths('revoked');
  await stage(t, {
    reason: 'vault',
    secrets,
    begin: async () => {
      t.equal((await bao.request('POST', 'auth/token/revoke', { token })).status, 204);
      await writeAll(secrets);
    },
    end: async () => {
      token = await newToken();
    },
  });
});

t.test('SQS and Secrets Manager away at once, at both roles', async (t) => {
  const secrets = paths('away');
  await stage(t, {
    reason: 'queue',
    secrets: [...secrets, 'away/meanwhile'],
    begin: async () => {
      await writeAll(secrets);
      roto.kill('SIGKILL');
    },
    during: () => write('away/meanwhile'),
    end: roto.restart,
  });
});

t.test('Secrets Manager alone away, failing or with expired credentials', async (t) => {
  const faults: readonly [name: string, fault: NonNullable<typeof proxy.fault>][] = [
    ['failing', failing({ error: 'InternalServiceError', status: 500 })],
    ['expired', failing({ error: 'ExpiredTokenException' })],
    ['silent', (operation, service) => (operation === 'ListSecrets' ? 'hang' : failing('drop')(operation, service))],
  ];
  for (const [name, fault] of faults) {
    const secrets = paths(name);
    await stage(t, {
      reason: DESTINATION,
      secrets: [...secrets, `${name}/meanwhile`],
      begin: async () => {
        proxy.fault = fault;
        await writeAll(secrets);
      },
      during: () => write(`${name}/meanwhile`),
      end: async () => {
        proxy.fault = undefined;
      },
    });
  }
});

t.test('a call that times out or breaks off, before its effect or after it, pauses nothing', async (t) => {
  const from = worker.logs().length;
  for (const path of paths('broken', 4)) await write(path);
  await world.equal(paths('broken', 4));
  const left = new Map<string, Fault[]>([
    ['CreateSecret', ['drop', 'hang']],
    ['PutSecretValue', ['drop', 'hang']],
    ['UpdateSecretVersionStage', ['drop', 'hang']],
    ['TagResource', ['drop']],
  ]);
  proxy.fault = (operation) => left.get(operation)?.shift();
  const secrets = [...paths('broken', 4), ...paths('born', 3)];
  await writeAll(secrets);
  await world.equal(secrets, REPAIRED_WITHIN);
  await world.settled(REPAIRED_WITHIN);
  t.strictSame([...left.values()].flat(), [], 'every fault was met');
  t.strictSame(pauses(DESTINATION, from), []);
  proxy.fault = undefined;
});

t.test('throttling holds, and pauses nothing', async (t) => {
  const from = worker.logs().length;
  let times = 12;
  proxy.fault = (operation) => {
    if (operation !== 'CreateSecret' || times === 0) return undefined;
    times -= 1;
    return { error: 'ThrottlingException' };
  };
  await writeAll(paths('throttled'));
  await world.equal(paths('throttled'), REPAIRED_WITHIN);
  t.equal(times, 0);
  t.strictSame(pauses(DESTINATION, from), []);
  proxy.fault = undefined;
});

t.test('the queues are counted, nothing was parked, and no value stands where it should not', async (t) => {
  await world.settled();
  const { body } = await ferries.ask('worker', 'admin', '/metrics');
  t.match(body, /^vaultferry_dead_letters 0$/m);
  t.match(body, /^vaultferry_queue_messages\{state="visible"\} \d+$/m);
  t.match(body, /^vaultferry_queue_oldest_seconds \d/m);
  t.strictSame(await aws.letters(), []);
  t.strictSame(await world.leaks(), []);
});
