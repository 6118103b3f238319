import { sweepGroup } from '../queue/message.ts';
import type { Routes } from '../replicate/routes.ts';
import type { Letter } from './letter.ts';

/** Where a letter's message goes again, or why it cannot. */
export type Redrive =
  | { readonly kind: 'send'; readonly group: string }
  | { readonly kind: 'refuse'; readonly reason: string };

/**
 * Whether a letter's message can go back to the queue, and into which group: that of today's routes, since the
 * letter's own is made to be listed, and a route may have changed since.
 */
export function redriveOf({ kind, message, ref }: Letter, routes: Routes): Redrive {
  if (kind === 'foreign') return refuse("it is none of VaultFerry's");
  if (message === undefined) {
    return refuse('its body is no message for this Vault (see vault.id), and would only be parked again: drop it');
  }
  if (message.kind === 'sweep') return { kind: 'send', group: sweepGroup(message.vault) };
  const targets = routes.targets(message).filter(({ destination }) => destination === message.destination);
  const renamed = targets.length === 1 ? targets[0] : undefined; // its route has another name now, and leads to one copy
  const target = targets.find(({ route }) => route === message.route) ?? renamed;
  if (target !== undefined) return { kind: 'send', group: target.group };
  return refuse(
    `no route leads ${ref} to the destination "${message.destination}" any more: route it again, or drop the letter`,
  );
}

const refuse = (reason: string): Redrive => ({ kind: 'refuse', reason });
