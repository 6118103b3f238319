import type { Look } from '../../src/replicate/decide.ts';
import { CURRENT, type DestinationState, STAGING_LABEL } from '../../src/replicate/destination.ts';
import type { Absent, Mount, PresentV2, SourceVersion } from '../../src/replicate/source.ts';
import { type Owner, ownershipTags } from '../../src/replicate/tags.ts';
import { type Moment, momentOf, versionId } from '../../src/replicate/version-id.ts';
import { Sensitive } from '../../src/sensitive.ts';

/** The states that decisions are tested on: one secret, `kv/app/db`, whose copy stands at version 2. */
export const NOW = '2026-11-24T22:00:00.000Z';
export const DELETED = '2026-11-24T21:50:00.5Z';
export const FRESH = '0123456789abcdef01234567';
export const HAND = '00000000-0000-4000-8000-000000000001';
const PREVIOUS = 'AWSPREVIOUS';

const mount = { accessor: 'kv_12ab34cd', kv: 2 } as const satisfies Mount;

export const owner: Owner = {
  vault: 'prod',
  route: 'all',
  ref: { namespace: '', mount: 'kv', path: 'app/db' },
  mount,
};

/** Version `number`, created in minute `minute`. */
export const at = (number: number, minute: number): SourceVersion => ({
  version: number,
  createdTime: `2026-11-24T21:4${minute}:00.25Z`,
});
export const idOf = (number: number, minute: number): string => versionId(owner.ref, at(number, minute));

/** One id always has one value, as one source version has. */
export const present = (version: SourceVersion): PresentV2 => {
  const value = new Sensitive(JSON.stringify({ of: versionId(owner.ref, version) }));
  return { kind: 'present', ...version, mount, value };
};
export const absent = (why: Absent['why'], more: Partial<Absent> = {}): Absent => ({
  kind: 'absent',
  why,
  mount: owner.mount,
  ...more,
});
export const moment = (number: number, minute: number): Moment =>
  momentOf(at(number, minute)) ?? { version: 0, time: '' };

/** A copy of ours at version 2, nothing to be said against it. */
export const copy = (more: Partial<DestinationState> = {}): DestinationState => ({
  arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:kv/app/db-000001',
  tags: { ...ownershipTags(owner), version: '2' },
  stages: new Map([[idOf(2, 2), [STAGING_LABEL, CURRENT]]]),
  scheduledForDeletion: false,
  rotationEnabled: false,
  ...more,
});
export const tagged = (tags: Record<string, string>): DestinationState => copy({ tags: { ...copy().tags, ...tags } });
export const lacking = (key: string): DestinationState =>
  copy({ tags: Object.fromEntries(Object.entries(copy().tags).filter(([name]) => name !== key)) });

export const look = (more: Partial<Look> = {}): Look => ({
  source: present(at(2, 2)),
  destination: copy(),
  owner,
  secretName: 'kv/app/db',
  tags: { version: '2' },
  hint: undefined,
  acceptStale: false,
  now: NOW,
  fresh: FRESH,
  ...more,
});

export const handEdited = copy({
  stages: new Map([
    [HAND, [CURRENT]],
    [idOf(2, 2), [STAGING_LABEL, PREVIOUS]],
  ]),
});
export const staged = copy({
  stages: new Map([
    [idOf(2, 2), [CURRENT]],
    [idOf(3, 3), [STAGING_LABEL]],
  ]),
});
