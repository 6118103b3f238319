import { type Finding, failure, notChecked, ok, warning } from '../finding.ts';
import { isDenied } from './queues.ts';

/** A destination and where it is, as the SDK resolves it. */
export interface Place {
  readonly name: string;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  /** Some route leads there. */
  readonly routed: boolean;
}

/** Does each destination have a place, and one of its own? */
export const judgePlaces = (places: readonly Place[]): Finding[] => places.map((place) => judgePlace(place, places));

function judgePlace(place: Place, places: readonly Place[]): Finding {
  const { name, region, endpoint, routed } = place;
  const check = `destination ${name}`;
  if (region === undefined) {
    return failure(check, 'no region is named', `set destinations.${name}.region, or AWS_REGION`);
  }
  const where = endpoint === undefined ? region : `${region} at ${endpoint}`;
  const twin = places.slice(0, places.indexOf(place)).find((other) => isSame(other, place));
  if (twin !== undefined) {
    return failure(check, `is the same place as ${twin.name} (${where})`, 'keep one of the two, and mend the routes');
  }
  if (!routed) return warning(check, `${where}, and no route leads there`, 'name it in a route, or remove it');
  return ok(check, where);
}

const isSame = (a: Place, b: Place): boolean => a.region === b.region && a.endpoint === b.endpoint;

/** How Secrets Manager answered a call: with an error of this name, or undefined where it was carried out. */
export type Answered = { readonly error: string | undefined };

/** What harmless calls have shown at one destination. */
export interface PermissionFacts {
  readonly destination: string;
  readonly list: Answered;
  /** Of a name that does not exist. */
  readonly describe: Answered;
  /** Writes to that name, which can change nothing; empty where it is not proven that it does not exist. */
  readonly missing: Readonly<Record<string, Answered>>;
  /** Writes to a copy of ours that change nothing; undefined where there is no copy. */
  readonly owned: Readonly<Record<string, Answered>> | undefined;
  /** What this configuration needs beside what every one does. */
  readonly extras: readonly string[];
  /** A key of its own, which no call tries without writing. */
  readonly kmsKey: boolean;
}

/** What a worker writes with, in the order in which it needs them. */
const WRITES = ['PutSecretValue', 'UpdateSecretVersionStage', 'TagResource', 'UntagResource', 'RestoreSecret'];

/** May the worker do what it must do in Secrets Manager? */
export function judgePermissions(all: readonly PermissionFacts[]): Finding[] {
  return all.flatMap((facts) => {
    const at = all.length > 1 ? ` (${facts.destination})` : '';
    const list = judgeRead(`ListSecrets${at}`, 'ListSecrets', facts.list, undefined);
    const describe = judgeRead(`DescribeSecret${at}`, 'DescribeSecret', facts.describe, NOT_FOUND);
    const calls = [...WRITES, ...facts.extras].map((call) => judgeCall(`${call}${at}`, call, facts));
    return [list, describe, ...calls, ...untried(at, facts)];
  });
}

const NOT_FOUND = 'ResourceNotFoundException';

function judgeRead(check: string, call: string, { error }: Answered, asExpected: string | undefined): Finding {
  if (error === asExpected || error === undefined) return ok(check, 'allowed');
  if (isDenied(error)) return failure(check, `refused (${error})`, grant(call));
  return failure(
    check,
    `Secrets Manager answered ${error}`,
    'see that the AWS credentials, region and endpoint are right, and that it can be reached from here',
  );
}

const grant = (call: string): string => `allow secretsmanager:${call} to VaultFerry's role`;

function judgeCall(check: string, call: string, { missing, owned }: PermissionFacts): Finding {
  const onOurs = owned?.[call];
  if (onOurs?.error !== undefined && isDenied(onOurs.error)) {
    return failure(check, `refused for a copy of ours (${onOurs.error})`, grant(call));
  }
  if (onOurs !== undefined) return ok(check, 'allowed for our copies');
  const tried = missing[call];
  if (tried === undefined) return notChecked(check, 'tried only where DescribeSecret shows that a name is free');
  if (tried.error === NOT_FOUND) return ok(check, 'allowed');
  if (tried.error !== undefined && isDenied(tried.error))
    return notChecked(check, BOUND, `${grant(call)}, if it is not so`);
  return notChecked(check, `Secrets Manager answered ${tried.error ?? 'as if there were such a secret'}`);
}

const BOUND = 'refused for a name that does not exist, as it is by a policy that is bound to the tag vaultferry:vault';

const untried = (at: string, { kmsKey }: PermissionFacts): Finding[] => [
  notChecked(
    `CreateSecret${at}`,
    `only a new secret would show it${kmsKey ? ', and whether the KMS key may be used' : ''}`,
    'vaultferry replicate REF, then vaultferry status REF',
  ),
];
