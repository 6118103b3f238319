import { accepted, send } from '../servers/openbao-api.ts';
import { until } from '../servers/until.ts';
import { containers } from './compose.ts';
import type { Say, Step } from './step.ts';
import { CLOSED_MOUNT, MOUNT, PORTS, type Tour } from './tour.ts';
import { demand } from './watch.ts';

/** What `docker compose up` left behind. */
export const RUNNING: readonly Step[] = [
  { name: 'up', run: up },
  { name: 'seeded', run: seeded },
  { name: 'closed', run: closed },
];

async function up({ compose, server }: Tour, say: Say): Promise<string> {
  say('$ docker compose ps');
  const all = await containers(compose);
  for (const name of ['aws', server, 'ingress', 'worker-1', 'worker-2']) {
    const found = all.find(({ Service }) => Service === name);
    demand(found?.Health === 'healthy', `${name} is ${found?.Health || found?.State || 'missing'}, and not healthy`);
  }
  for (const { Service, State, ExitCode } of all.filter(({ State }) => State !== 'running')) {
    demand(ExitCode === 0, `${Service} has ${State} with ${ExitCode}`);
  }
  const published = all.flatMap(({ Publishers }) => Publishers ?? []).filter(({ PublishedPort }) => PublishedPort > 0);
  for (const { URL, PublishedPort } of published) {
    demand(URL === '127.0.0.1', `port ${PublishedPort} is published on ${URL}, and not on loopback alone`);
  }
  for (const name of ['ingress', 'worker-1', 'worker-2'] as const) {
    const ready = async () => (await fetch(`http://127.0.0.1:${PORTS[name]}/readyz`)).ok;
    await until(ready, { what: `${name} to be ready`, interval: 100 });
  }
  return `${published.length} ports, all on 127.0.0.1; ingress and both workers are ready`;
}

/** The AWS CLI prints the names with tabs between them. */
async function seeded({ aws }: Tour, say: Say): Promise<string> {
  const command = ['secretsmanager', 'list-secrets', '--query', 'SecretList[].Name', '--output', 'text'];
  say(`$ docker compose exec aws aws ${command.join(' ')}`);
  const names = (await aws(command)).trim().split(/\s+/);
  for (const name of [`${MOUNT}/app/api`, `${MOUNT}/app/database`]) {
    demand(names.includes(name), `${name} is not in Secrets Manager`);
    say(name);
  }
  demand(!names.some((name) => name.startsWith(CLOSED_MOUNT)), `a secret of ${CLOSED_MOUNT} is in Secrets Manager`);
  return `both secrets of ${MOUNT} are there, and none of ${CLOSED_MOUNT}`;
}

/** Logs in as the workers do, and tries what their policy is not for. */
async function closed({ compose, server }: Tour, say: Say): Promise<string> {
  const secretId = await compose(['exec', '-T', 'worker-1', 'cat', '/vault/credentials/secret-id']);
  const vault = `http://127.0.0.1:${PORTS.server}/v1`;
  const login = { role_id: 'vaultferry-demo', secret_id: secretId.trim() };
  const answer = accepted(await send(`${vault}/auth/approle/login`, 'POST', login), 'POST', 'auth/approle/login');
  const { auth } = answer.body as { auth: { client_token: string; token_policies: readonly string[] } };
  const headers = { 'x-vault-token': auth.client_token };
  const statusOf = async (path: string) => (await send(`${vault}/${path}`, 'GET', undefined, headers)).status;
  const open = await statusOf(`${MOUNT}/data/app/api`);
  demand(open === 200, `${MOUNT}/app/api answers ${open} to the workers`);
  const path = `${CLOSED_MOUNT}/crown-jewels`;
  say(`GET ${path} with a worker's own login, policy ${auth.token_policies.join(', ')}`);
  const status = await statusOf(`${CLOSED_MOUNT}/data/crown-jewels`);
  demand(status === 403, `${path} answers ${status} to the workers, and not 403`);
  return `${server === 'vault' ? 'Vault' : 'OpenBao'} answers 403`;
}
