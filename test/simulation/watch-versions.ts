import { isOurId } from '../../src/replicate/version-id.ts';
import type { Secret } from '../fakes/account.ts';

/** Versions of one secret that a process may put before it counts them at AWS; one more may be under way then. */
const UNCOUNTED = 20;
/** Between those that follow, in ms; wider from the fiftieth on, which no simulation lasts long enough for. */
const SPACING = 30_000;
/** What AWS counts against the limit, in ms. */
const DAY = 24 * 3_600_000;

/** Promise 7: a secret that is written all the time costs no more versions than their spacing allows. */
export function watchVersions(wall: () => number, violate: (what: string) => void) {
  const known = new Set<string>();
  const puts = new Map<string, { readonly actor: string; readonly at: number }[]>();
  return (actor: string, { arn, versions }: Secret): void => {
    for (const id of versions.keys()) {
      if (!isOurId(id) || known.has(`${arn} ${id}`)) continue;
      known.add(`${arn} ${id}`);
      const ofDay = [...(puts.get(arn) ?? []), { actor, at: wall() }].filter(({ at }) => at > wall() - DAY);
      puts.set(arn, ofDay);
      const actors = new Set(ofDay.map((put) => put.actor)).size;
      const most = actors * UNCOUNTED + (wall() - (ofDay[0]?.at ?? 0)) / SPACING;
      if (ofDay.length > most) violate(`promise 7: ${ofDay.length} versions of ${arn} in a day, so soon`);
    }
  };
}
