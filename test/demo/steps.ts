import { isDeepStrictEqual } from 'node:util';
import { DescribeSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { accepted, send } from '../servers/openbao-api.ts';
import { until } from '../servers/until.ts';
import { type Corridor, MOUNT } from './corridor.ts';

/** What a step showed; `lag` in ms, from OpenBao's answer until the copy was seen as it should be. */
export interface Shown {
  readonly lag: number;
  /** A few words for the table at the end. */
  readonly outcome: string;
  /** What was seen in Secrets Manager, in a line; never a value. */
  readonly seen: string;
}

export interface Step {
  readonly name: string;
  /** What a person would type for the same, with `…` for values. */
  readonly command: string;
  /** `say` takes a line about what is going on. Throws when the copy is not as it should be in time. */
  readonly run: (corridor: Corridor, say: (line: string) => void) => Promise<Shown>;
}

const PATH = 'app/db';
export const SECRET = `${MOUNT}/${PATH}`;

/** The values that the demo writes: whoever tests it looks for them where they must not be. */
export const VALUES = { first: 'tern-5417', second: 'puffin-8206', host: 'db-3.skerry.example', third: 'gannet-6630' };

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
      return carried(corridor, 1, FIRST, 'copy created, equal');
    },
  },
  {
    name: 'change',
    command: `bao kv put ${SECRET} user=… password=…`,
    run: async (corridor) => {
      await corridor.bao.put(MOUNT, PATH, SECOND);
      return carried(corridor, 2, SECOND, 'copy updated, equal');
    },
  },
  {
    name: 'patch',
    command: `bao kv patch ${SECRET} host=…`,
    run: async (corridor) => {
      await patch(corridor, { host: VALUES.host });
      return carried(corridor, 3, PATCHED, 'copy updated, equal');
    },
  },
  {
    name: 'soft delete',
    command: `bao kv delete ${SECRET}`,
    run: async (corridor) => {
      await ask(corridor, 'DELETE', `${MOUNT}/data/${PATH}`);
      const lag = await seen('the mark vaultferry:absent', async () => 'vaultferry:absent' in (await tags(corridor)));
      await demandCopy(corridor, 3, PATCHED);
      return { lag, outcome: 'copy kept, marked absent', seen: 'version 3 still AWSCURRENT, tag vaultferry:absent' };
    },
  },
  {
    name: 'undelete',
    command: `bao kv undelete -versions=3 ${SECRET}`,
    run: async (corridor) => {
      await ask(corridor, 'POST', `${MOUNT}/undelete/${PATH}`, { versions: [3] });
      const lag = await seen('the mark to go', async () => !('vaultferry:absent' in (await tags(corridor))));
      await demandCopy(corridor, 3, PATCHED);
      return { lag, outcome: 'mark gone, equal', seen: 'version 3 still AWSCURRENT, no mark' };
    },
  },
  {
    name: 'restart',
    command: `bao kv put ${SECRET} password=…  # while VaultFerry is down`,
    run: restart,
  },
];

async function restart(corridor: Corridor, say: (line: string) => void): Promise<Shown> {
  say('stopping VaultFerry; it lets its last long poll end, which may take 5 s…');
  await corridor.stopFerry();
  await corridor.bao.put(MOUNT, PATH, THIRD);
  await demandCopy(corridor, 3, PATCHED);
  say('written while nobody listens: version 4 in OpenBao, version 3 in Secrets Manager');
  say('starting VaultFerry…');
  await corridor.startFerry();
  const shown = await carried(corridor, 4, THIRD, 'repaired by the sweep');
  await sweptIn(corridor);
  say('no audit line told of it: the sweep that VaultFerry begins with has found it');
  return shown;
}

/** Only what came by a sweep has no lag, since no audit line told of it. */
async function sweptIn({ ferry }: Corridor): Promise<void> {
  const { lagMs } = await ferry().waitForLog(({ event, version }) => event === 'secret.replicated' && version === 4);
  if (lagMs !== undefined) throw new Error('version 4 came by a push and not by the sweep');
}

/** Waits until the copy holds `value` as Vault's `version`. */
async function carried(corridor: Corridor, version: number, value: object, outcome: string): Promise<Shown> {
  const lag = await seen(`version ${version} at AWSCURRENT`, () => holds(corridor, version, value));
  const { versionId } = await current(corridor);
  return { lag, outcome, seen: `AWSCURRENT is ${versionId}` };
}

async function demandCopy(corridor: Corridor, version: number, value: object): Promise<void> {
  if (!(await holds(corridor, version, value))) throw new Error(`the copy is not version ${version} any more`);
}

async function holds(corridor: Corridor, version: number, value: object): Promise<boolean> {
  const copy = await current(corridor);
  return copy.versionId.startsWith(`v${version}-`) && isDeepStrictEqual(copy.value, value);
}

/** Milliseconds until `check` holds; a call that fails (no such secret yet) does not. */
async function seen(what: string, check: () => Promise<boolean>): Promise<number> {
  const since = performance.now();
  await until(check, { what, deadline: 10_000, interval: 5 });
  return performance.now() - since;
}

async function current({ secrets }: Corridor): Promise<{ versionId: string; value: unknown }> {
  const { VersionId = '', SecretString = 'null' } = await secrets.send(
    new GetSecretValueCommand({ SecretId: SECRET, VersionStage: 'AWSCURRENT' }),
  );
  return { versionId: VersionId, value: JSON.parse(SecretString) };
}

async function tags({ secrets }: Corridor): Promise<Record<string, string>> {
  const { Tags = [] } = await secrets.send(new DescribeSecretCommand({ SecretId: SECRET }));
  return Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
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
