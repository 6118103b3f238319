import { DeleteSecretCommand } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import t from 'tap';
import { startWorld } from './world.ts';

const ADMIN_TOKEN = 'an-admin-token';
const AUDIT_TOKEN = 'an-audit-token';
const http = { listen: 'http://127.0.0.1:0', tokens: [AUDIT_TOKEN] };

const world = await startWorld({ config: { admin: { token: ADMIN_TOKEN }, ingress: { http } } });
t.teardown(world.end);
const { aws, canaries, configText, equal, ferries, write } = world;

const withConfig = (config: string) => ({ VAULTFERRY_CONFIG: config });
/** Side by side: most of a command's time is spent on loading. */
const each = <T>(cases: readonly T[], check: (one: T) => Promise<unknown>) => Promise.all(cases.map(check));

t.test('config check, print and schema', async (t) => {
  t.strictSame(await ferries.run(['config', 'check']), {
    code: 0,
    stdout: 'configuration is valid: 1 route, 1 destination\n',
    stderr: '',
  });
  t.match(JSON.parse((await ferries.run(['config', 'check', '--json'])).stdout), { valid: true });
  const printed = await ferries.run(['config', 'print', '--json']);
  t.match(JSON.parse(printed.stdout), { admin: { token: '[redacted]' }, queue: { visibilityTimeout: '10s' } });
  t.notMatch(printed.stdout, new RegExp(`${ADMIN_TOKEN}|${AUDIT_TOKEN}`));
  t.match(JSON.parse((await ferries.run(['config', 'schema'])).stdout), { type: 'object', properties: { vault: {} } });
});

t.test('a bad configuration is refused with every bad key named, and no value', async (t) => {
  const secret = canaries.next();
  const bad = configText({
    vualt: { address: secret },
    vault: { auth: { method: secret } },
    queue: { url: secret },
    worker: { concurrency: secret, writesPerSecnd: 3 },
    sweep: { every: '1 fortnight' },
    routes: [{ mount: 'kv', to: [secret] }],
  });
  await each([['serve'], ['config', 'check'], ['replicate', 'kv/a']], async (command) => {
    const { code, stdout, stderr } = await ferries.run(command, withConfig(bad));
    t.equal(code, 2, command.join(' '));
    t.equal(stdout, '');
    for (const key of ['vualt', 'vault.auth', 'queue.url', 'worker.concurrency', 'writesPerSecnd', 'sweep.every']) {
      t.ok(stderr.includes(key), `${command[0]} names ${key}`);
    }
    t.match(stderr, /vualt.*vault/);
    t.match(stderr, /writesPerSecnd.*writesPerSecond/);
  });
  t.match(await ferries.run(['serve', '--config', 'no/such/file.yaml']), { code: 2, stderr: /no\/such\/file\.yaml/ });
});

t.test('a command line that cannot be understood', async (t) => {
  const usages = [['--nonsense'], ['serve', '--nonsense'], ['nonsense'], [], ['serve', '--role', 'cook'], ['config']];
  await each([...usages, ['replicate']], async (args) => {
    const expected = { code: 2, stdout: '', stderr: /^vaultferry: .+/ };
    t.match(await ferries.run(args), expected, `vaultferry ${args.join(' ')}`);
  });
});

t.test('help is everywhere', async (t) => {
  const asked = [
    ['--help'],
    ['serve', '--help'],
    ['replicate', '--help'],
    ['config', '-h'],
    ['config', 'check', '--help'],
  ];
  await each([...asked, ['help']], async (args) => {
    t.match(await ferries.run(args), { code: 0, stdout: /Usage: vaultferry/, stderr: '' }, args.join(' '));
  });
});

t.test('replicate puts on the queue what is routed, and fails for the rest', async (t) => {
  t.match(await ferries.run(['replicate', 'nowhere/app']), { code: 1, stdout: '', stderr: /nowhere\/app/ });
  await write('by/hand');
  await equal(['by/hand']);
  await aws.secrets.send(new DeleteSecretCommand({ SecretId: 'kv/by/hand', ForceDeleteWithoutRecovery: true }));
  const { code, stdout, stderr } = await ferries.run(['replicate', 'kv/by/hand', 'nowhere/app', 'kv', '--json']);
  t.equal(code, 1);
  t.match(stderr, /nowhere\/app/);
  const queued = [{ ref: 'kv/by/hand', destination: 'default', secretName: 'kv/by/hand' }];
  t.strictSame(JSON.parse(stdout), { queued });
  await equal(['by/hand']);
});

t.test('serve ends with 1 where a port is taken', async (t) => {
  const ready = ferries.get('ferry').ready;
  const socket = 'tcp://127.0.0.1:0';
  const taken = {
    admin: { admin: { listen: ready['admin'] }, ingress: { socket } },
    socket: { ingress: { socket: ready['socket'] } },
    http: { ingress: { socket, http: { ...http, listen: ready['http'] } } },
  };
  await each(Object.entries(taken), async ([door, config]) => {
    const port = new URL(String(ready[door])).port;
    const { code, stdout, stderr } = await ferries.run(['serve'], withConfig(configText(config)));
    t.match({ code, stdout, stderr }, { code: 1, stdout: '', stderr: new RegExp(`"listen.failed".*:${port}`) }, door);
  });
});

t.test('serve ends with 2 where the queues cannot work', async (t) => {
  const attributes = await aws.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: world.queues.deadLetterUrl, AttributeNames: ['QueueArn'] }),
  );
  const redrive = (maxReceiveCount: number) =>
    JSON.stringify({ deadLetterTargetArn: attributes.Attributes?.['QueueArn'], maxReceiveCount });
  const create = async (QueueName: string, more: Record<string, string>) =>
    (await aws.sqs.send(new CreateQueueCommand({ QueueName, Attributes: { FifoQueue: 'true', ...more } }))).QueueUrl;
  const bare = await create('bare.fifo', {});
  const few = await create('few.fifo', { RedrivePolicy: redrive(10) });
  const unfit: readonly (readonly [string | undefined, RegExp])[] = [
    [bare, /"queue.unfit".*RedrivePolicy/],
    [few, /"queue.unfit".*maxReceiveCount/],
    [bare?.replace('.fifo', ''), /queue\.url/],
  ];
  await each(unfit, async ([url, why]) => {
    const config = configText({ queue: { url }, ingress: false });
    t.match(await ferries.run(['serve', '--role', 'worker'], withConfig(config)), { code: 2, stderr: why });
  });
});

t.test('no value stands where it should not', async (t) => {
  t.strictSame(await world.leaks(), []);
});
