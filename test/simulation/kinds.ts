import { between, chance, count, pick, type Random, spread } from './random.ts';
import {
  type Deed,
  type Fault,
  type Line,
  LONGEST_LAG,
  MOUNTS,
  OPERATIONS,
  type Operation,
  type Port,
  SECRETS,
  type Side,
} from './schedule.ts';

export const SECOND = 1_000;
export const MINUTE = 60_000;

/** What a seed has settled before its events are drawn. */
export interface Context {
  readonly random: Random;
  readonly ends: number;
  /** Most deeds are done to one secret: what never meets never fights. */
  readonly hot: number;
  /** All is about that one secret, and two workers get into each other's way with it. */
  readonly duel: boolean;
}

export type Maker<T> = (context: Context) => T;

const secretOf = ({ random, hot, duel }: Context): number =>
  duel || chance(random, 0.75) ? hot : count(random, 0, SECRETS.length - 1);

export const line = (random: Random): Line => ({
  lost: chance(random, 0.1),
  delay: chance(random, 0.2) ? spread(random, 100, 3 * MINUTE) : spread(random, 1, 100),
  twice: chance(random, 0.1),
});

const onSecret =
  <K extends Deed['kind']>(kind: K) =>
  (context: Context) => ({ kind, secret: secretOf(context) });
const change =
  <K extends 'delete' | 'undelete' | 'destroy' | 'purge' | 'denied' | 'metadata'>(kind: K) =>
  (context: Context) => ({ kind, secret: secretOf(context), line: line(context.random) });

const write: Maker<Deed> = (context) => ({
  kind: 'write',
  secret: secretOf(context),
  line: line(context.random),
  commit: spread(context.random, 1, 2 * SECOND),
  ...(chance(context.random, 0.1) && { expires: spread(context.random, SECOND, 5 * MINUTE) }),
});

export const DEEDS: Readonly<Record<string, Maker<Deed>>> = {
  write,
  again: write,
  delete: change('delete'),
  undelete: change('undelete'),
  destroy: change('destroy'),
  purge: change('purge'),
  denied: change('denied'),
  metadata: change('metadata'),
  forged: (context) => ({
    kind: 'forged',
    secret: secretOf(context),
    version: count(context.random, 1, 9),
    ahead: spread(context.random, 1, 20 * MINUTE) * (chance(context.random, 0.5) ? 1 : -1),
    purge: chance(context.random, 0.3),
  }),
  burst: (context) => ({
    kind: 'burst',
    secret: secretOf(context),
    writes: count(context.random, 3, 12),
    every: spread(context.random, 5, 2 * SECOND),
  }),
  snapshot: () => ({ kind: 'snapshot' }),
  rewind: ({ random }) => ({ kind: 'rewind', line: line(random) }),
  remount: ({ random }) => ({
    kind: 'remount',
    mount: count(random, 0, MOUNTS.length - 1),
    away: spread(random, 10, 5 * MINUTE),
    kv: chance(random, 0.3) ? 1 : 2,
    line: line(random),
  }),
  operator: onSecret('operator'),
  redrive: () => ({ kind: 'redrive' }),
  sweep: () => ({ kind: 'sweep' }),
  'aws:edit': onSecret('aws:edit'),
  'aws:back': onSecret('aws:back'),
  'aws:schedule': onSecret('aws:schedule'),
  'aws:restore': onSecret('aws:restore'),
  'aws:force': onSecret('aws:force'),
  'aws:foreign': onSecret('aws:foreign'),
  'aws:mark': onSecret('aws:mark'),
  'aws:version-tag': onSecret('aws:version-tag'),
  'aws:owner': onSecret('aws:owner'),
  'aws:valueless': onSecret('aws:valueless'),
  'aws:rotation': (context) => ({ kind: 'aws:rotation', secret: secretOf(context), on: chance(context.random, 0.5) }),
  'aws:old-versions': (context) => ({
    kind: 'aws:old-versions',
    secret: secretOf(context),
    age: 24 * 60 * MINUTE - spread(context.random, SECOND, 10 * MINUTE),
  }),
};

const port = (random: Random): Port => pick(random, ['vault', 'aws', 'aws', 'sqs'] as const);
const side = (random: Random): Side => pick(random, ['before', 'after'] as const);
const underWay = (random: Random): number => (chance(random, 0.3) ? spread(random, SECOND, 2 * MINUTE) : 0);
const call = (random: Random): { calls: number; of?: Operation } =>
  chance(random, 0.6) ? { calls: count(random, 1, 3), of: pick(random, OPERATIONS) } : { calls: count(random, 1, 20) };
const window = (random: Random, longest: number): number => spread(random, SECOND, longest);

export const FAULTS: Readonly<Record<string, Maker<Fault>>> = {
  crash: ({ random }) => ({
    kind: 'crash',
    worker: count(random, 0, 1),
    ...call(random),
    side: side(random),
    slow: underWay(random),
    down: spread(random, 100, 5 * MINUTE),
  }),
  stall: ({ random, duel }) => ({
    kind: 'stall',
    worker: count(random, 0, 1),
    ...call(random),
    side: duel ? 'before' : side(random),
    slow: underWay(random),
    ms: duel ? between(random, 20 * SECOND, 3 * MINUTE) : spread(random, SECOND, 60 * MINUTE),
  }),
  'ingress-crash': ({ random }) => ({ kind: 'ingress-crash', down: spread(random, 100, 2 * MINUTE) }),
  fail: ({ random }) => ({ kind: 'fail', port: port(random), calls: count(random, 1, 12), side: side(random) }),
  slow: ({ random }) => ({
    kind: 'slow',
    port: port(random),
    ...call(random),
    side: side(random),
    ms: spread(random, SECOND, 2 * MINUTE),
  }),
  flaky: ({ random }) => ({
    kind: 'flaky',
    port: port(random),
    ms: window(random, 10 * MINUTE),
    share: between(random, 0.1, 0.9),
  }),
  outage: ({ random }) => ({
    kind: 'outage',
    port: port(random),
    ms: window(random, 20 * MINUTE),
    hangs: chance(random, 0.4),
  }),
  throttle: ({ random }) => ({ kind: 'throttle', ms: window(random, 5 * MINUTE), share: between(random, 0.2, 1) }),
  standby: ({ random }) => {
    const lag = chance(random, 0.5) ? between(random, 10 * SECOND, LONGEST_LAG) : spread(random, 50, LONGEST_LAG);
    const share = chance(random, 0.4) ? 1 : between(random, 0.2, 1);
    return { kind: 'standby', ms: window(random, 20 * MINUTE), lag, share };
  },
  forbid: ({ random }) => ({ kind: 'forbid', ms: window(random, 3 * MINUTE) }),
  lapse: ({ random }) => ({ kind: 'lapse', times: count(random, 1, 6), every: spread(random, 20, 2 * SECOND) }),
};
