import type { FailureCode } from '../errors.ts';
import { type Action, decide, type Look, type Promotion } from './decide.ts';
import { currentId } from './destination.ts';
import { newestVersion } from './source.ts';
import { foreignTags, TAG_ABSENT, TAG_RELEASED } from './tags.ts';
import { isOurId, momentOfId, spelledTime, timeOfId } from './version-id.ts';

/** How a secret and its copy stand to each other: every kind of agreement, then every kind of drift. */
export const STATES = {
  in_sync: { inSync: true, why: '' },
  absent: { inSync: true, why: 'Vault has no such secret, and there is no copy of it' },
  absent_marked: { inSync: true, why: 'deleted in Vault; the copy is kept, and marked' },
  absent_scheduled: { inSync: true, why: 'deleted in Vault; the copy is scheduled for deletion' },
  missing: { inSync: false, why: 'there is no copy yet' },
  stale: { inSync: false, why: 'the copy has an older version' },
  no_value: { inSync: false, why: 'the copy has no version at AWSCURRENT' },
  not_promoted: { inSync: false, why: 'the version was put, but AWSCURRENT does not stand at it yet' },
  edited_by_hand: { inSync: false, why: 'AWSCURRENT stands at a version that is not from Vault' },
  scheduled_for_deletion: { inSync: false, why: 'the copy is scheduled for deletion, though the secret is there' },
  not_marked: { inSync: false, why: 'deleted in Vault; the copy is not marked yet' },
  wrongly_marked: { inSync: false, why: 'the copy is marked as absent, though the secret is there' },
  tags_differ: { inSync: false, why: 'the value is right, a tag is not' },
  conflict: { inSync: false, why: '' },
  released: { inSync: true, why: '' },
  refused: { inSync: false, why: '' },
  source_behind: { inSync: false, why: '' },
} as const satisfies Readonly<Record<string, { readonly inSync: boolean; readonly why: string }>>;

export type State = keyof typeof STATES;

/** What one look says of one copy; never a value. */
export interface Standing {
  readonly state: State;
  readonly inSync: boolean;
  /** Vault's newest version; of a deleted secret, the one that was deleted. */
  readonly vaultVersion?: number;
  /** Vault's version number of what stands at AWSCURRENT. */
  readonly replicatedVersion?: number;
  /** RFC 3339: when the version at AWSCURRENT was created in Vault (of KV v1: put), or the copy was marked as absent. */
  readonly since?: string;
  readonly code?: FailureCode;
  /** Why it is not in sync, or what else there is to say. */
  readonly why?: string;
}

/** What {@link decide} would do, as a state: there is one policy. */
export function standing(look: Look): Standing {
  const action = decide(look);
  const state = stateOf(look, action);
  const current = (look.destination && currentId(look.destination)) ?? '';
  const vaultVersion = newestVersion(look.source)?.version;
  const replicatedVersion = momentOfId(current)?.version;
  const since = sinceOf(look, state, current);
  const refusal = 'code' in action ? { code: action.code, why: action.text } : undefined;
  const { inSync, why } = STATES[state];
  return {
    state,
    inSync,
    ...(vaultVersion !== undefined && { vaultVersion }),
    ...(replicatedVersion !== undefined && { replicatedVersion }),
    ...(since !== undefined && { since }),
    ...(why !== '' && { why }),
    ...refusal,
  };
}

function sinceOf({ destination }: Look, state: State, current: string): string | undefined {
  if (state === 'absent_marked') return destination?.tags[TAG_ABSENT]?.split(' ')[0];
  const time = timeOfId(current);
  return time && spelledTime(time);
}

function stateOf(look: Look, action: Action): State {
  switch (action.kind) {
    case 'create':
      return 'missing';
    case 'put':
    case 'promote':
      return behind(action);
    case 'restore':
      return 'scheduled_for_deletion';
    case 'mark':
      return 'not_marked';
    case 'unmark':
      return 'wrongly_marked';
    case 'retag':
      return 'tags_differ';
    case 'hold':
      return 'source_behind';
    case 'refuse':
      if (action.code === 'released') return 'released';
      return action.code === 'not_owned' || action.code === 'rotation_enabled' ? 'conflict' : 'refused';
    case 'keep':
      return look.source.kind === 'present' ? 'in_sync' : absence(look);
  }
}

function behind({ kind, from }: Promotion & { readonly kind: 'put' | 'promote' }): State {
  if (from === undefined) return 'no_value';
  if (!isOurId(from)) return 'edited_by_hand';
  return kind === 'promote' ? 'not_promoted' : 'stale';
}

function absence({ destination, owner }: Look): State {
  if (destination === undefined || TAG_RELEASED in destination.tags) return 'absent';
  if (foreignTags(destination.tags, owner).length > 0) return 'absent';
  return destination.scheduledForDeletion ? 'absent_scheduled' : 'absent_marked';
}
