import { looksLikePartialArn, MAX_NAME } from '../../replicate/name.ts';
import { type Finding, failure, notChecked, ok, warning } from '../finding.ts';

/** A copy that a secret of Vault's asks for. */
export interface WantedCopy {
  readonly ref: string;
  readonly destination: string;
  readonly secretName: string;
  /** The place: equal for copies that would be one. */
  readonly group: string;
}

export type NamesFacts =
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'too_many'; readonly most: number }
  | { readonly kind: 'listed'; readonly secrets: number; readonly copies: readonly WantedCopy[] };

/** How many examples one finding names. */
const EXAMPLES = 3;

/** Do two secrets of Vault meet in one name, and does AWS take the names? */
export function judgeNames(facts: NamesFacts): Finding[] {
  if (facts.kind === 'unknown') return [notChecked('collisions', facts.reason)];
  if (facts.kind === 'too_many') {
    return [notChecked('collisions', `more than ${facts.most} secrets; the routes themselves do not collide`)];
  }
  return [collisions(facts.secrets, facts.copies), ...lengths(facts.copies), ...endings(facts.copies)];
}

function collisions(secrets: number, copies: readonly WantedCopy[]): Finding {
  const meeting = meetings(copies);
  if (meeting.length === 0) return ok('collisions', `no two names meet (secrets: ${secrets})`);
  const texts = meeting.map(
    ({ refs, secretName, destination }) => `${refs.join(' and ')} as ${secretName} in ${destination}`,
  );
  return failure(
    'collisions',
    `secrets meet in one name, and only the first is carried: ${some(texts)}`,
    'tell them apart by the routes\' "as" ({namespace}, {mount}), include or exclude',
  );
}

/** Groups of more than one ref. */
function meetings(copies: readonly WantedCopy[]) {
  const places = new Map<string, { secretName: string; destination: string; refs: string[] }>();
  for (const { ref, group, secretName, destination } of copies) {
    const place = places.get(group) ?? { secretName, destination, refs: [] };
    places.set(group, place);
    if (!place.refs.includes(ref)) place.refs.push(ref);
  }
  return [...places.values()].filter(({ refs }) => refs.length > 1);
}

function lengths(copies: readonly WantedCopy[]): Finding[] {
  const long = copies.filter(({ secretName }) => secretName.length > MAX_NAME);
  if (long.length === 0) return [];
  const found = `longer than the ${MAX_NAME} characters of Secrets Manager: ${some(long.map(({ ref }) => ref))}`;
  return [failure('length', found, 'shorten the paths, set the route\'s "as", or exclude them')];
}

function endings(copies: readonly WantedCopy[]): Finding[] {
  const alike = copies.filter(({ secretName }) => looksLikePartialArn(secretName));
  if (alike.length === 0) return [];
  const found = `end in "-" and six characters, as an ARN does, and can be taken for another secret's: ${some(alike.map(({ secretName }) => secretName))}`;
  return [warning('ARN suffix', found, 'rename them in Vault, or let the route\'s "as" end otherwise')];
}

function some(texts: readonly string[]): string {
  const rest = texts.length - EXAMPLES;
  return texts.slice(0, EXAMPLES).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}
