import type { Look } from '../replicate/decide.ts';
import type { Order } from '../replicate/look-at.ts';
import { checkName } from '../replicate/name.ts';
import { checkNotOwn } from '../replicate/own-secret.ts';
import type { SecretRef } from '../replicate/ref.ts';
import type { Target } from '../replicate/routes.ts';

/** A destination, and Vault behind it. */
export interface LookingEnd {
  readonly look: (order: Order) => Promise<Look>;
}

/** What both ends say of one copy. Throws name_invalid where there can be none, and as the look does. */
export async function lookAtTarget({ look }: LookingEnd, ref: SecretRef, target: Target): Promise<Look> {
  const { route, secretName } = target;
  checkName(secretName, ref);
  checkNotOwn(target, ref);
  return look({ ref, route, secretName, hint: undefined });
}
