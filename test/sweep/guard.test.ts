import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import type { DestinationState } from '../../src/replicate/destination.ts';
import { approvalOf, type Due } from '../../src/sweep/deletion.ts';
import { type Guard, judgeDue } from '../../src/sweep/guard.ts';
import { at, DELETION } from './house.ts';

/** The most that are under way when the looking up ends. */
const SIDE_BY_SIDE = 16;

const due = (count: number): readonly Due[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ ref: at(`s${index}`), versionId: `v${index}`, mark: 'm' },
    target: { route: 'kv', destination: 'eu', secretName: `kv/s${index}`, group: 'g' },
  }));

const copy = (replicas: readonly string[]): DestinationState => ({
  ...{ arn: 'arn', tags: {}, stages: new Map(), scheduledForDeletion: false, rotationEnabled: false, replicas },
});

/** A guard that lets one go, and counts what it looks up. `replicas`: which copies have some. */
function guardHouse(replicas: (name: string) => boolean, more: Partial<Guard> = {}) {
  const ending = new AbortController();
  const state = { calls: 0, down: false, onCall: (_: number) => {} };
  const end: Guard['end'] = {
    isDown: () => state.down,
    async describe(name) {
      state.calls += 1;
      state.onCall(state.calls);
      return copy(replicas(name) ? ['us-west-2'] : []);
    },
  };
  const guard: Guard = { settings: DELETION, copies: 0, approvals: () => [], end, ...more };
  return { state, ending, judge: (some: readonly Due[]) => judgeDue(some, guard, ending.signal) };
}

t.test('what fits is not looked up', async (t) => {
  const { state, judge } = guardHouse(() => true);
  const all = due(1);
  t.same([await judge(all), state.calls], [{ go: all, held: [], staying: [] }, 0]);
});

t.test('copies with replicas stay, and the rest goes once it fits', async (t) => {
  const { judge } = guardHouse((name) => name !== 'kv/s150');
  const { go, held, staying } = await judge(due(200));
  t.same([go.map(({ ref }) => ref.path), held.length, staying.length], [['s150'], 0, 199]);
});

t.test('no more is looked up once it is certain that they are held', async (t) => {
  const { state, judge } = guardHouse((name) => name === 'kv/s0');
  const { go, held, staying } = await judge(due(200));
  t.same([go.length, held.length, staying.length], [0, 199, 1]);
  t.ok(state.calls <= 3 + SIDE_BY_SIDE, `${state.calls} calls`);
});

t.test('what is approved fills no guard, and is not looked up', async (t) => {
  const all = due(40);
  const approved = all.slice(0, 37);
  const { state, judge } = guardHouse((name) => name === 'kv/s38', { approvals: () => approved.map(approvalOf) });
  const { go, held, staying } = await judge(all);
  t.same([go, held, staying.length, state.calls], [approved, [all[37], all[39]], 1, 3]);
});

t.test('a shutdown ends it', async (t) => {
  const { state, ending, judge } = guardHouse(() => true);
  state.onCall = (call) => call === 20 && ending.abort();
  await t.rejects(judge(due(200)), { name: 'AbortError' });
  t.equal(state.calls, 20);
});

t.test('an outage ends it: all are held, and no more is asked', async (t) => {
  for (const code of ['destination_unavailable', undefined] as const) {
    const { state, judge } = guardHouse(() => true);
    state.onCall = (call) => {
      if (call < 20) return;
      if (code === undefined) state.down = true;
      else throw new ReplicationError(code, 'no answer');
    };
    const all = due(200);
    t.same(await judge(all), { go: [], held: all, staying: [] });
    t.ok(state.calls < 20 + 2 * SIDE_BY_SIDE, `${state.calls} calls`);
  }
});

t.test('a copy that cannot be looked up counts like one without replicas', async (t) => {
  const { state, judge } = guardHouse(() => true);
  state.onCall = (call) => {
    if (call <= 2) throw new ReplicationError('destination_throttled', 'too many');
  };
  const { held, staying } = await judge(due(30));
  t.same([held.length, staying.length], [30, 0]);
});
