import { accepted, send } from '../servers/openbao-api.ts';
import { type Corridor, MOUNT } from './corridor.ts';
import { FAILURES } from './failures.ts';
import type { Shown, Step } from './step.ts';
import { VALUES } from './values.ts';
import { carried, demandCopy, seen, tags } from './watch.ts';

const PATH = 'app/db';
export const SECRET = `${MOUNT}/${PATH}`;

const FIRST = { user: 'app', password: VALUES.first };
const SECOND = { user: 'app', password: VALUES.second };
const PATCHED = { ...SECOND, host: VALUES.host };
const THIRD = { ...PATCHED, password: VALUES.third };

export const STEPS: readonly Step[] = [
  {
    name: 'write',
    command: `bao kv put ${SECRET} user=… password=…`,
    run: async (corridor) => {
      await corridor.bao.put(MOUNT, PATH, FIRST);
      return carried(corridor, SECRET, 1, FIRST, 'copy created, equal');
    },
  },
  {
    name: 'change',
    command: `bao kv put ${SECRET} user=… password=…`,
    run: async (corridor) => {
      await corridor.bao.put(MOUNT, PATH, SECOND);
      return carried(corridor, SECRET, 2, SECOND, 'copy updated, equal');
    },
  },
  {
    name: 'patch',
    command: `bao kv patch ${SECRET} host=…`,
    run: async (corridor) => {
      await patch(corridor, { host: VALUES.host });
      return carried(corridor, SECRET, 3, PATCHED, 'copy updated, equal');
    },
  },
  {
    name: 'soft delete',
    command: `bao kv delete ${SECRET}`,
    run: async (corridor) => {
      await ask(corridor, 'DELETE', `${MOUNT}/data/${PATH}`);
      const lag = await seen(
        'the mark vaultferry:absent',
        async () => 'vaultferry:absent' in (await tags(corridor, SECRET)),
      );
      await demandCopy(corridor, SECRET, 3, PATCHED);
      return { lag, outcome: 'copy kept, marked absent', seen: 'version 3 still AWSCURRENT, tag vaultferry:absent' };
    },
  },
  {
    name: 'undelete',
    command: `bao kv undelete -versions=3 ${SECRET}`,
    run: async (corridor) => {
      await ask(corridor, 'POST', `${MOUNT}/undelete/${PATH}`, { versions: [3] });
      const lag = await seen('the mark to go', async () => !('vaultferry:absent' in (await tags(corridor, SECRET))));
      await demandCopy(corridor, SECRET, 3, PATCHED);
      return { lag, outcome: 'mark gone, equal', seen: 'version 3 still AWSCURRENT, no mark' };
    },
  },
  {
    name: 'restart',
    command: `bao kv put ${SECRET} password=…  # while VaultFerry is down`,
    run: restart,
  },
  ...FAILURES,
];

async function restart(corridor: Corridor, say: (line: string) => void): Promise<Shown> {
  say('stopping VaultFerry; it lets its last long poll end, which may take 5 s…');
  await corridor.stopFerry();
  await corridor.bao.put(MOUNT, PATH, THIRD);
  await demandCopy(corridor, SECRET, 3, PATCHED);
  say('written while nobody listens: version 4 in OpenBao, version 3 in Secrets Manager');
  say('starting VaultFerry…');
  await corridor.startFerry();
  const shown = await carried(corridor, SECRET, 4, THIRD, 'repaired by the sweep');
  await sweptIn(corridor);
  say('no audit line told of it: the sweep that VaultFerry begins with has found it');
  return shown;
}

/** Only what came by a sweep has no lag, since no audit line told of it. */
async function sweptIn({ ferry }: Corridor): Promise<void> {
  const { lagMs } = await ferry().waitForLog(({ event, version }) => event === 'secret.replicated' && version === 4);
  if (lagMs !== undefined) throw new Error('version 4 came by a push and not by the sweep');
}

async function ask({ bao }: Corridor, method: string, path: string, body?: object): Promise<void> {
  accepted(await bao.request(method, path, body), method, path);
}

/** OpenBao takes a patch in this one media type. */
async function patch({ bao }: Corridor, data: object): Promise<void> {
  const path = `${MOUNT}/data/${PATH}`;
  const headers = { 'x-vault-token': bao.rootToken, 'content-type': 'application/merge-patch+json' };
  accepted(await send(`${bao.address}/v1/${path}`, 'PATCH', { data }, headers), 'PATCH', path);
}
