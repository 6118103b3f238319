import { SHORTEST_PREFIX } from '../dead-letters/select.ts';
import { UsageError } from './usage-error.ts';

/** What of the dead-letter queue is redriven. */
export type Chosen =
  | { readonly by: 'ids'; readonly ids: readonly string[] }
  | { readonly by: 'code'; readonly code: string }
  | { readonly by: 'all' };

export type DlqAction =
  | { readonly kind: 'list' }
  | { readonly kind: 'show'; readonly id: string }
  | { readonly kind: 'redrive'; readonly chosen: Chosen }
  | { readonly kind: 'drop'; readonly ids: readonly string[] };

export interface DlqOptions {
  readonly code?: string | undefined;
  readonly all: boolean;
  readonly yes: boolean;
}

/** Any that a letter may carry: an older or a newer VaultFerry may have parked it with one that is unknown here. */
const CODE = /^[a-z][a-z_]*$/;

/** Reads the operands and options of `vaultferry dlq`. Throws a UsageError that says what was expected. */
export function dlqAction([action, ...ids]: readonly string[], { code, all, yes }: DlqOptions): DlqAction {
  const short = ids.find((id) => id.length < SHORTEST_PREFIX);
  if (short !== undefined) {
    throw new UsageError(`dlq ${action} "${short}": an ID has at least its first ${SHORTEST_PREFIX} characters`);
  }
  if (action === 'redrive') return { kind: 'redrive', chosen: redriveChoice(ids, code, all) };
  const [stray] = [...(code === undefined ? [] : ['--code']), ...(all ? ['--all'] : [])];
  if (stray !== undefined) throw new UsageError(`${stray} goes with dlq redrive alone`);
  if (action === 'drop') return dropAction(ids);
  if (yes) throw new UsageError('--yes goes with dlq redrive and dlq drop alone');
  if (action === 'show') return showAction(ids);
  if (action !== 'list') throw new UsageError('dlq takes list, show ID, redrive or drop ID…');
  if (ids.length > 0) throw new UsageError(`dlq list takes no operand, but got "${ids[0]}"`);
  return { kind: 'list' };
}

/** Where nobody can be asked, a script must have said yes beforehand. Throws a UsageError otherwise. */
export function checkNoQuestion(action: DlqAction): void {
  const asks = action.kind === 'drop' || (action.kind === 'redrive' && action.chosen.by === 'all');
  const what = action.kind === 'drop' ? 'dlq drop' : 'dlq redrive --all';
  if (asks) throw new UsageError(`${what} asks before it acts, and here is no terminal to ask on: add --yes`);
}

function redriveChoice(ids: readonly string[], code: string | undefined, all: boolean): Chosen {
  const ways = [ids.length > 0, code !== undefined, all].filter(Boolean).length;
  if (ways !== 1) throw new UsageError('dlq redrive takes IDs, or --code CODE, or --all: one of these');
  if (code === undefined) return all ? { by: 'all' } : { by: 'ids', ids };
  if (CODE.test(code)) return { by: 'code', code };
  throw new UsageError(`--code ${code}: a code is of lower-case letters and "_"; dlq list shows each letter's`);
}

function dropAction(ids: readonly string[]): DlqAction {
  if (ids.length === 0) throw new UsageError('dlq drop needs at least one ID');
  return { kind: 'drop', ids };
}

function showAction([id, ...others]: readonly string[]): DlqAction {
  if (id === undefined || others.length > 0) throw new UsageError('dlq show takes one ID');
  return { kind: 'show', id };
}
