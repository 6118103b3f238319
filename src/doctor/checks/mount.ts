import { formatMount, type MountRef } from '../../replicate/ref.ts';
import { type Finding, failure, notChecked, ok, warning } from '../finding.ts';
import { policyLine, policyPath } from '../vault-policy.ts';

/** What Vault shows of a routed mount. */
export type MountEntry =
  | { readonly kind: 'shown'; readonly kv: 1 | 2 }
  | { readonly kind: 'not_kv'; readonly reason: string }
  | { readonly kind: 'hidden' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** What a harmless request showed of a right: of a name that does not exist, 404 is a yes and 403 a no. */
export type Right = 'granted' | 'denied' | 'no_mount' | { readonly unknown: string };

export interface MountFacts {
  readonly ref: MountRef;
  /** The `kvVersion` of its routes. */
  readonly wanted: readonly ('auto' | 1 | 2)[];
  readonly entry: MountEntry;
  readonly rights: {
    /** Undefined where every secret of the routes has a name of its own, so that only a real one could be read. */
    readonly value: Right | undefined;
    readonly list: Right;
    readonly metadata: Right;
    /** OpenBao's listings of all at once; undefined where the server has none. */
    readonly atOnce?: Right;
  };
}

/** `blind`: without a valid token nothing can be said. */
export type MountsFacts = { readonly kind: 'blind'; readonly reason: string } | readonly MountFacts[];

/** Is each routed mount there, of the right version, and does the policy let it be read? */
export function judgeMounts(mounts: MountsFacts): Finding[] {
  if ('kind' in mounts) return [notChecked('policy', mounts.reason)];
  return mounts.flatMap((facts) => [judgeEntry(facts), ...judgeRights(facts)]);
}

function judgeEntry({ ref, wanted, entry }: MountFacts): Finding {
  const check = `mount ${formatMount(ref)}`;
  switch (entry.kind) {
    case 'unknown':
      return notChecked(check, entry.reason);
    case 'not_kv':
      return failure(check, entry.reason, 'route a KV mount');
    case 'hidden':
      return failure(
        check,
        'Vault does not show it: it does not exist, or the token has no policy below it',
        `vault secrets enable -path=${policyPath(ref, '')} -version=2 kv; or ${policyLine(policyPath(ref, 'data/*'), 'read')}`,
      );
    case 'shown':
      return judgeVersion(check, wanted, entry.kv);
  }
}

function judgeVersion(check: string, wanted: MountFacts['wanted'], kv: 1 | 2): Finding {
  const other = wanted.find((version) => version !== 'auto' && version !== kv);
  if (other !== undefined) {
    return failure(check, `is KV version ${kv}, and its route says ${other}`, `set the route's kvVersion: ${kv}`);
  }
  return ok(check, `KV version ${kv}`);
}

function judgeRights({ ref, entry, rights }: MountFacts): Finding[] {
  if (entry.kind === 'not_kv') return [];
  const name = formatMount(ref);
  if (entry.kind === 'shown' && entry.kv === 1) {
    const mend = `it needs ${policyLine(policyPath(ref, '*'), 'read', 'list')}; vaultferry status reads it`;
    return [notChecked(`values of ${name}`, 'what tells of rights is asked of KV version 2 alone', mend)];
  }
  const line = (below: string, capability: string) =>
    `add to the policy: ${policyLine(policyPath(ref, below), capability)}`;
  return [
    rights.value === undefined
      ? notChecked(`values of ${name}`, 'the routes name no path that is surely free to try', 'vaultferry status')
      : judgeRight(
          { check: `values of ${name}`, verb: 'read', lacking: failure, mend: line('data/*', 'read') },
          rights.value,
        ),
    judgeRight(
      { check: `names of ${name}`, verb: 'listed', lacking: failure, mend: line('metadata/*', 'list') },
      rights.list,
    ),
    judgeRight(
      { check: `versions of ${name}`, verb: 'read', lacking: warning, mend: line('metadata/*', 'read') },
      rights.metadata,
    ),
    ...(rights.atOnce === undefined
      ? []
      : [
          judgeRight(
            {
              check: `all of ${name} at once`,
              verb: 'listed',
              lacking: warning,
              mend: 'vaultferry policy openbao prints the lines',
            },
            rights.atOnce,
          ),
        ]),
  ];
}

interface Wanted {
  readonly check: string;
  readonly verb: string;
  /** What it is when it lacks. */
  readonly lacking: typeof failure;
  readonly mend: string;
}

function judgeRight({ check, verb, lacking, mend }: Wanted, right: Right): Finding {
  if (right === 'granted') return ok(check, `may be ${verb}`);
  if (right === 'denied') return lacking(check, `may not be ${verb}`, mend);
  if (right === 'no_mount') return notChecked(check, 'Vault knows no such mount or namespace');
  return notChecked(check, right.unknown);
}
