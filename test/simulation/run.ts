import { encodeChange, encodeMessage, sweepGroup } from '../../src/queue/message.ts';
import { FAULT_KINDS } from './faults.ts';
import { createPeople, redrive } from './people.ts';
import { checkRest, differences, UNFIT } from './rest.ts';
import { type Deed, type Event, type Fault, type Schedule, SECRETS } from './schedule.ts';
import { seedThread } from './shim.ts';
import { createWorld, type World } from './world.ts';

/** How long the queue may take to become empty once all is well, in virtual ms: a version budget frees in ten minutes. */
const DRAINED_WITHIN = 90 * 60_000;
/** What ListSecrets may miss, in ms. */
const LISTING_LAG = 5 * 60_000;
/** More calls of Vault and AWS than a message may cost: where Vault's answer stays old, it is looked at for two minutes. */
const CALLS_PER_MESSAGE = 60;
/** More steps than any world needs: something turns in circles. */
const MAX_STEPS = 60_000;

export interface Result {
  readonly violations: readonly string[];
  readonly steps: number;
  readonly calls: ReadonlyMap<string, number>;
}

/** Runs a seed's world to its rest; the same schedule always runs the same. `write` gets a trace. */
export async function run(schedule: Schedule, write?: (line: string) => void): Promise<Result> {
  seedThread(`src ${schedule.seed}`);
  const world = createWorld(schedule, write);
  const note = (text: string) => world.trace(() => text);
  const doDeed = createPeople(world);
  for (const event of schedule.events) {
    world.scheduler.after(event.at, () => {
      if (world.scheduler.now > schedule.ends + 1) return;
      note(`--- ${describe(event)}`);
      if (isFault(event)) world.faults.begin(event);
      else doDeed(event);
    });
  }
  await phases(world, schedule, note);
  if (world.watch.violations.length === 0) checkCalls(world);
  return { violations: world.watch.violations, steps: world.scheduler.steps, calls: world.calls.counts };
}

async function phases(world: World, schedule: Schedule, note: (text: string) => void): Promise<void> {
  const { watch } = world;
  const sound = () => watch.violations.length === 0;
  if (!(await until(world, schedule.ends, () => false))) return;
  note('--- all is well from here on');
  world.faults.end();
  world.wakeAll();
  if (!(await drained(world, note))) return;
  // What a letter stands for has waited for an operator.
  const lettersOf = () => new Set(world.deadLetters.stored().map(({ attributes }) => attributes?.['ref'] ?? ''));
  const check = (when: string) => {
    const letters = lettersOf();
    for (const why of differences(world, (ref) => world.isPushed(ref) && !letters.has(`${ref.mount}/${ref.path}`))) {
      if (!why.includes(UNFIT)) watch.violate(`promise 8, ${when}: ${why}`);
    }
  };
  check('by push alone');
  if (!sound()) return;
  note('--- every letter is redriven');
  let ids = 0;
  redrive(world, () => `redrive-at-the-end-${++ids}`);
  if (!(await drained(world, note))) return;
  check('after a redrive');
  if (!sound()) return;
  if (!(await listed(world))) return;
  note('--- a sweep');
  if (!(await swept(world, 'the-last-sweep', note))) return;
  for (const why of differences(world)) watch.violate(`promise 8, after a sweep: ${why}`);
  if (world.lettersLost > 0)
    watch.violate(`promise 7: ${world.lettersLost} messages were parked, and their letters never came`);
  if (sound()) await atRest(world, note);
}

function checkCalls({ calls: { counts }, queue, watch }: World): void {
  const [calls, messages] = [(counts.get('vault') ?? 0) + (counts.get('aws') ?? 0), queue.sent.length];
  if (calls > messages * CALLS_PER_MESSAGE) watch.violate(`promise 7: ${calls} calls for ${messages} messages`);
}

/** One after the other that did not see everything. */
const MOST_SWEEPS = 5;
/** Sweeps at rest: a worker that was stalled amid an older one may tell of its findings during one of them, not of both. */
const MORE_SWEEPS = ['one-more-sweep', 'and-one-more'];

/** Another sweep finds nothing to do, and a look at each secret costs little and writes nothing. */
async function atRest(world: World, note: (text: string) => void): Promise<void> {
  const { queue, watch, calls } = world;
  if (!(await listed(world))) return;
  let found: readonly string[] = [];
  for (const sweep of MORE_SWEEPS) {
    note('--- another sweep');
    const sent = queue.sent.length;
    if (!(await swept(world, sweep, note))) return;
    found = checkRest.found(world, queue.sent.slice(sent));
    if (found.length === 0) break;
  }
  for (const ref of found) watch.violate(`promise 8: another sweep at rest finds ${ref} once more`);
  note('--- a look at each secret');
  const before = new Map(calls.counts);
  const looks = lookAtAll(world);
  await until(world, world.scheduler.now + 1, () => false);
  if (watch.violations.length > 0 || !(await drained(world, note))) return;
  checkRest.looks(world, looks, (of) => (calls.counts.get(of) ?? 0) - (before.get(of) ?? 0));
}

/** Until the listings know of all that was done. */
async function listed(world: World): Promise<boolean> {
  const { scheduler } = world;
  const quiet = () => world.lastChange + LISTING_LAG + 60_000;
  while (scheduler.now < quiet()) if (!(await until(world, quiet(), () => false))) return false;
  return true;
}

/** A sweep is asked for and served, and once more where a call took so long that it could not see everything. */
async function swept(world: World, deduplicationId: string, note: (text: string) => void): Promise<boolean> {
  world.forgetRefusals();
  const { id } = world.config.vault;
  const body = encodeMessage({ v: 1, kind: 'sweep', vault: id, origin: 'operator' });
  for (let tries = 1; ; tries += 1) {
    const request = { body, group: sweepGroup(id), deduplicationId: `${deduplicationId}-${tries}` };
    void world.queue.publisher.send([request]);
    await until(world, world.scheduler.now + 1, () => false);
    if (!(await drained(world, note))) return false;
    if (world.sweptAll() || tries === MOST_SWEEPS) return true;
  }
}

/** An operator's word for each secret whose mount is there; how many. */
function lookAtAll(world: World): number {
  const { id } = world.config.vault;
  const refs = SECRETS.filter(({ mount }) => world.kv.state.mounts.has(mount));
  const messages = refs.flatMap((ref) =>
    world.routes.targets(ref).map((target) => {
      const body = encodeChange(id, ref, target, { origin: 'operator' });
      return { body, group: target.group, deduplicationId: `at-rest-${target.group}` };
    }),
  );
  void world.queue.publisher.send(messages);
  return messages.length;
}

/** Runs to `end`, or to `done`; false when something was violated meanwhile. */
async function until(world: World, end: number, done: () => boolean): Promise<boolean> {
  const { scheduler, watch } = world;
  while (!done() && (await scheduler.step(end))) {
    if (scheduler.steps > MAX_STEPS) watch.violate(`promise 7: ${MAX_STEPS} steps, and no end`);
    if (watch.violations.length > 0) return false;
  }
  return watch.violations.length === 0;
}

/** Until no message and no line is under way. */
async function drained(world: World, note: (text: string) => void): Promise<boolean> {
  const empty = () => world.queue.size === 0 && world.linesUnderWay === 0;
  const sound = await until(world, world.scheduler.now + DRAINED_WITHIN, empty);
  if (!sound) return false;
  note('--- the queue is empty');
  if (!empty())
    world.watch.violate(
      `promise 7: after ${DRAINED_WITHIN / 60_000} minutes ${world.queue.size} messages are still on the queue`,
    );
  return empty();
}

const isFault = (event: Event): event is Event & Fault => FAULT_KINDS.has(event.kind);

/** An event as a line for people. */
export function describe(event: (Deed | Fault) & { readonly at: number }): string {
  const { at: _, kind, ...rest } = event;
  return `${kind} ${JSON.stringify(rest)}`;
}
