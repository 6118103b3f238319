import { isDeepStrictEqual } from 'node:util';
import { DescribeSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { until } from '../servers/until.ts';
import type { LogLine } from '../servers/vaultferry.ts';
import type { Corridor } from './corridor.ts';
import type { Shown } from './step.ts';

/** Waits until the copy holds `value` as Vault's `version`. */
export async function carried(
  corridor: Corridor,
  secret: string,
  version: number,
  value: object,
  outcome: string,
): Promise<Shown> {
  const lag = await seen(`version ${version} at AWSCURRENT`, () => holds(corridor, secret, version, value));
  const { versionId } = await current(corridor, secret);
  return { lag, outcome, seen: `AWSCURRENT is ${versionId}` };
}

export async function demandCopy(corridor: Corridor, secret: string, version: number, value: object): Promise<void> {
  if (!(await holds(corridor, secret, version, value))) throw new Error(`the copy is not version ${version} any more`);
}

async function holds(corridor: Corridor, secret: string, version: number, value: object): Promise<boolean> {
  const copy = await current(corridor, secret);
  return copy.versionId.startsWith(`v${version}-`) && isDeepStrictEqual(copy.value, value);
}

/** Milliseconds until `check` holds; a call that fails (no such secret yet) does not. */
export async function seen(what: string, check: () => Promise<boolean>): Promise<number> {
  const since = performance.now();
  await until(check, { what, deadline: 10_000, interval: 5 });
  return performance.now() - since;
}

/** Milliseconds until VaultFerry has logged a line with these fields. */
export const logged = ({ ferry }: Corridor, fields: LogLine): Promise<number> =>
  seen(Object.values(fields).join(' '), async () => ferry().logs().some(holdsAll(fields)));

const holdsAll =
  (fields: LogLine) =>
  (line: LogLine): boolean =>
    Object.entries(fields).every(([name, value]) => line[name] === value);

export async function current({ secrets }: Corridor, secret: string): Promise<{ versionId: string; value: unknown }> {
  const { VersionId = '', SecretString = 'null' } = await secrets.send(
    new GetSecretValueCommand({ SecretId: secret, VersionStage: 'AWSCURRENT' }),
  );
  return { versionId: VersionId, value: JSON.parse(SecretString) };
}

export async function tags({ secrets }: Corridor, secret: string): Promise<Record<string, string>> {
  const { Tags = [] } = await secrets.send(new DescribeSecretCommand({ SecretId: secret }));
  return Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
}

/** Throws unless there is no secret of that name. */
export async function demandNone({ secrets }: Corridor, secret: string): Promise<void> {
  const error: unknown = await secrets.send(new DescribeSecretCommand({ SecretId: secret })).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof Error && error.name === 'ResourceNotFoundException') return;
  throw new Error(`${secret} should not be in Secrets Manager`, { cause: error });
}
