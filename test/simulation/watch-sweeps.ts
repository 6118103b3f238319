import type { LogFields } from '../../src/log.ts';

/** Of three copies the guard's share is less than one, and one may always go. */
const MOST_DELETIONS = 1;

/**
 * Promise 6, of the calls themselves: none deletes in bulk what nobody approved, and each deletion goes out right after
 * the sweep made sure that its request is still its own. `now` is virtual time, in ms.
 */
export function watchDeletions(now: () => number, violate: (what: string) => void) {
  const extended = new Map<string, number>();
  const sent = new Map<string, Set<string>>();
  return {
    extended: (actor: string) => void extended.set(actor, now()),
    /** The worker sends a DeleteSecret of this ARN. */
    sends(actor: string, arn: string) {
      if (extended.get(actor) !== now())
        violate(`promise 6: the deletion of ${arn} was sent, and its request was not extended right before`);
      const arns = sent.get(`${actor} ${regionOf(arn)}`) ?? new Set();
      sent.set(`${actor} ${regionOf(arn)}`, arns.add(arn));
      if (arns.size > MOST_DELETIONS) violate(`promise 6: one sweep deletes ${[...arns].join(' and ')} unapproved`);
    },
    logged(actor: string, { event }: LogFields) {
      if (event !== 'sweep.started') return;
      for (const key of sent.keys()) if (key.startsWith(`${actor} `)) sent.delete(key);
    },
  };
}

const regionOf = (arn: string): string => arn.split(':')[3] ?? '';
