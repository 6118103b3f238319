import type { Look } from '../replicate/decide.ts';
import type { Order } from '../replicate/look-at.ts';
import { checkName } from '../replicate/name.ts';
import { checkNotOwn } from '../replicate/own-secret.ts';
import { adoption } from '../replicate/ownership.ts';
import { formatRef, type SecretRef } from '../replicate/ref.ts';
import type { Target } from '../replicate/routes.ts';
import type { Source } from '../replicate/source.ts';
import { foreignTags, type Owner, TAG_RELEASED } from '../replicate/tags.ts';
import { carryOut, type Handover, type OwnershipCommand, type Planned, plan } from './ownership.ts';
import { refsToLookAt } from './status-refs.ts';

export interface AdoptCommand extends OwnershipCommand {
  readonly source: Pick<Source, 'list'>;
  /** A look at both ends, by the destination's name. */
  readonly ends: ReadonlyMap<string, { readonly look: (order: Order) => Promise<Look> }>;
}

/**
 * `vaultferry adopt REF… | --all`: makes existing secrets of those names our copies, on an operator's word. With `all`,
 * every secret that Vault lists and whose name is taken by one that is not ours.
 */
export async function adoptCommand(command: AdoptCommand): Promise<number> {
  const { all, refs, routes, source, ends, looking } = command;
  const problems: string[] = [];
  const owners = new Map<string, Owner>();
  const planned: Planned[] = [];
  const onProblem = (text: string) => problems.push(text);
  const wanted: SecretRef[] = [];
  for await (const ref of refsToLookAt({ refs: all ? [] : refs, routes, source, copies: new Map(), onProblem })) {
    wanted.push(ref);
    looking.listed(1);
  }
  for (const ref of wanted) {
    for (const target of routes.targets(ref)) {
      const { destination, secretName } = target;
      let missing = false;
      const subject = { ref: formatRef(ref), destination, secretName };
      const one = await plan(subject, async () => {
        const look = await lookAt(ends, ref, target);
        owners.set(keyOf(subject), look.owner);
        missing = look.destination === undefined;
        return adoption(look);
      });
      if (!all || !(missing || one.change.kind === 'keep')) planned.push(one);
    }
    looking.compared();
  }
  looking.end();
  const took: Handover['took'] = (subject, { tags }) => {
    const owner = owners.get(keyOf(subject));
    return owner !== undefined && foreignTags(tags, owner).length === 0 && !(TAG_RELEASED in tags);
  };
  return carryOut(command, { verb: 'Adopt', done: 'adopted', took }, planned, problems);
}

const keyOf = ({ destination, secretName }: { readonly destination: string; readonly secretName: string }) =>
  JSON.stringify([destination, secretName]);

async function lookAt(ends: AdoptCommand['ends'], ref: SecretRef, target: Target): Promise<Look> {
  const { route, secretName, destination } = target;
  checkName(secretName, ref);
  checkNotOwn(target, ref);
  const end = ends.get(destination);
  if (end === undefined) throw new TypeError('the destination was not opened');
  return end.look({ ref, route, secretName, hint: undefined });
}
