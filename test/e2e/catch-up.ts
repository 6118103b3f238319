import { sentMessages } from './recorder.ts';
import type { World } from './world.ts';

/** A hundred kills in a row may leave as many sweep requests, and what a killed receiver held stays hidden for 10 s. */
const EQUAL_WITHIN = 120_000;
const SECRETS = 12;

/**
 * Kills the ingress of the name `door` again and again while secrets are written, and waits until each is equal at both
 * ends. Returns the origins of the sweeps that were asked for meanwhile.
 */
export async function killUnderWrites(
  { ferries, recorder, write, equal }: World,
  kills: number,
): Promise<ReadonlySet<string>> {
  const calls = recorder.calls.length;
  const paths = Array.from({ length: SECRETS }, (_, number) => `caught/${number}`);
  let killing = true;
  const writing = (async () => {
    for (let number = 0; killing; number += 1) await write(paths[number % SECRETS] ?? '');
  })();
  for (let kill = 0; kill < kills; kill += 1) {
    await ferries.kill('door');
    await ferries.restart('door');
  }
  killing = false;
  await writing;
  // The device notices a dead connection at its second write: these bring the connection that finds what was lost.
  for (let line = 0; line < 3; line += 1) await write('caught/last');
  await equal([...paths, 'caught/last'], EQUAL_WITHIN);
  const sent = sentMessages(recorder.calls.slice(calls)).map(({ body }) => JSON.parse(body) as Record<string, string>);
  return new Set(sent.flatMap(({ kind, origin }) => (kind === 'sweep' && origin !== undefined ? [origin] : [])));
}

/** An ingress without Vault and a worker; the timer's sweep is a day away. */
export const DOOR_AND_WORKER = {
  lasting: true,
  config: { sweep: { every: '24h' } },
  ferries: { door: { roles: ['ingress'], config: { vault: undefined } }, worker: { roles: ['worker'] } },
} as const;
