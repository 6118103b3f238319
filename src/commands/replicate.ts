import { randomUUID } from 'node:crypto';
import { ReplicationError } from '../errors.ts';
import { encodeChange } from '../queue/message.ts';
import type { Publisher } from '../queue/ports.ts';
import { formatRef, isVaultPath, parseRef, type SecretRef } from '../replicate/ref.ts';
import type { Routes, Target } from '../replicate/routes.ts';
import { printable, printableJson } from './table.ts';

export interface ReplicateCommand {
  /** As people write them. */
  readonly refs: readonly string[];
  readonly vault: string;
  readonly routes: Routes;
  readonly publisher: Publisher;
  readonly json: boolean;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

interface Queued {
  readonly ref: string;
  readonly destination: string;
  readonly secretName: string;
}

/** `vaultferry replicate REF…`: puts each ref on the queue. Returns the exit code: 0, or 1 if any is not routed. */
export async function replicateCommand(command: ReplicateCommand): Promise<number> {
  const { refs, routes, publisher, json, write, writeError } = command;
  const queued: Queued[] = [];
  let unrouted = 0;
  for (const text of refs) {
    const ref = parseRef(text, routes.mounts);
    const targets = ref === undefined || !isVaultPath(ref.path) ? [] : routes.targets(ref);
    if (ref === undefined || targets.length === 0) {
      unrouted += 1;
      writeError(`${printable(text)}: no route covers it; a REF is [namespace:]mount/path of a routed mount\n`);
      continue;
    }
    for (const target of targets) queued.push(await enqueue(publisher, command.vault, ref, target));
  }
  if (json) write(`${printableJson({ queued })}\n`);
  else for (const one of queued) write(`queued ${printable(one.ref)} -> ${one.destination}: ${one.secretName}\n`);
  return unrouted > 0 ? 1 : 0;
}

/** An operator's message gets a fresh id each time: SQS must not take a second order for the first. */
async function enqueue(publisher: Publisher, vault: string, ref: SecretRef, target: Target): Promise<Queued> {
  const { destination, secretName, group } = target;
  const body = encodeChange(vault, ref, target, { origin: 'operator' });
  const [refused] = await publisher.send([{ body, group, deduplicationId: randomUUID() }]);
  if (refused !== undefined) throw notTaken(ref);
  return { ref: formatRef(ref), destination, secretName };
}

const notTaken = (ref: SecretRef) =>
  new ReplicationError('queue_unavailable', `SQS did not take the message for ${formatRef(ref)}; try again`);
