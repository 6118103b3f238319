import { currentId } from '../replicate/destination.ts';
import { formatRef, type SecretRef } from '../replicate/ref.ts';
import type { Target } from '../replicate/routes.ts';
import { TAG_ABSENT } from '../replicate/tags.ts';
import type { Finding } from './drift.ts';

/** How long an approval holds, in ms. */
const APPROVAL_LASTS = 3_600_000;

/** As the destination's `deletion` says; ms, whole days, shares from 0 to 1. */
export interface DeletionSettings {
  readonly grace: number;
  readonly recoveryDays: number;
  readonly maxPerSweep: number;
  readonly maxShare: number;
  /** Whether copies with replicas are deleted too: replicas go at once, and no restore brings them back. */
  readonly replicas: boolean;
}

/**
 * A copy whose secret is proven gone, and has been for longer than the grace. No more of the finding is kept: a hundred
 * thousand of them are held until all were seen.
 */
export interface Due {
  readonly ref: SecretRef;
  readonly target: Target;
  /** The version id at AWSCURRENT, and the mark: an approval names both, so that it is void once either changes. */
  readonly versionId: string;
  readonly mark: string;
}

/** An operator's word for one copy, as a sweep request carries it. */
export interface Approval {
  readonly ref: string;
  readonly versionId: string;
  readonly mark: string;
}

/** The deletion that a finding asks for, if it does: the copy is marked as absent, and was for the whole grace. */
export function dueDeletion(finding: Finding, { grace }: DeletionSettings, now: number): Due | undefined {
  const { kind, ref, target, copy } = finding;
  const mark = copy?.tags[TAG_ABSENT];
  if (kind !== 'absent_marked' || target === undefined || copy === undefined || mark === undefined) return undefined;
  const since = Date.parse(mark.slice(0, mark.indexOf(' ')));
  return since + grace <= now ? { ref, target, mark, versionId: currentId(copy) ?? '-' } : undefined;
}

/**
 * Which of a destination's deletions may go: all, or, where they are more than the smaller of count and share (at least
 * one), those alone that an operator approved. Many at once look more like a mistake than like a wish.
 */
export function guarded<D extends Due>(
  due: readonly D[],
  copies: number,
  settings: DeletionSettings,
  approvals: readonly Approval[],
): { readonly go: readonly D[]; readonly held: readonly D[] } {
  const keys = new Set(approvals.map(keyOf));
  const approved: D[] = [];
  const others: D[] = [];
  for (const one of due) (keys.has(keyOf(approvalOf(one))) ? approved : others).push(one);
  const most = mostAtOnce(copies, settings);
  return others.length <= most ? { go: due, held: [] } : { go: approved, held: others };
}

/** How many may go at once that nobody approved. */
export const mostAtOnce = (copies: number, { maxPerSweep, maxShare }: DeletionSettings): number =>
  Math.max(1, Math.min(maxPerSweep, Math.floor(copies * maxShare)));

/** The same for two words of the same. */
export const keyOf = ({ ref, versionId, mark }: Approval): string => JSON.stringify([ref, versionId, mark]);

/** The word that lets it go. */
export const approvalOf = ({ ref, versionId, mark }: Due): Approval => ({ ref: formatRef(ref), versionId, mark });

/** Whether what was sent then still holds; both on SQS's clock, in ms since the epoch. */
export const holds = ({ sentAt }: { readonly sentAt: number }, now: number): boolean => now - sentAt <= APPROVAL_LASTS;
