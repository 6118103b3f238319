import { ReplicationError } from '../../src/errors.ts';
import { AwsError } from '../fakes/account.ts';
import type { Fate, FateOf } from './calls.ts';
import { chance, type Random } from './random.ts';
import type { Event, Fault, Port, Side } from './schedule.ts';
import type { Process, Scheduler } from './scheduler.ts';

export const FAULT_KINDS: ReadonlySet<string> = new Set<Fault['kind']>([
  'crash',
  'stall',
  'ingress-crash',
  'fail',
  'slow',
  'flaky',
  'outage',
  'throttle',
  'standby',
  'forbid',
  'lapse',
]);

export const failures: Readonly<Record<Port, (why: string) => Error>> = {
  vault: (why) => Object.assign(new Error(`socket: ${why}`), { code: 'ECONNRESET' }),
  aws: (why) => new AwsError(why === 'TimeoutError' ? why : 'InternalServiceError', why),
  sqs: (why) => new ReplicationError('queue_unavailable', `SQS: ${why}`),
};

/** Waits for the n-th call that it is about. */
interface Armed {
  readonly port?: Port;
  readonly worker?: number;
  readonly of?: string | undefined;
  left: number;
  readonly fate: (caller: Process) => Fate;
}

export interface Faults {
  readonly fateOf: FateOf;
  begin(fault: Fault & Pick<Event, 'at'>): void;
  /** Everything is well from here on. */
  end(): void;
  /** How far behind the node is that answers the next read, in ms. */
  lag(): number;
  readonly forbidden: boolean;
}

interface Hands {
  /** Which worker a process is, whatever life of it. */
  readonly workerOf: (caller: Process) => number | undefined;
  readonly crash: (caller: Process, down: number) => void;
  readonly ingressCrash: (down: number) => void;
  readonly lapse: () => void;
}

type Window = Extract<Fault, { ms: number; kind: 'flaky' | 'outage' | 'throttle' | 'standby' | 'forbid' }>;

export function createFaults(scheduler: Scheduler, random: Random, hands: Hands): Faults {
  const windows = new Set<Window>();
  const armed = new Set<Armed>();

  const arm = (target: Pick<Armed, 'port' | 'worker' | 'of'>, calls: number, fate: Armed['fate']) =>
    armed.add({ ...target, left: calls, fate });
  const openWindow = (window: Window) => {
    windows.add(window);
    scheduler.after(window.ms, () => windows.delete(window));
  };
  const begin = (fault: Fault) => {
    switch (fault.kind) {
      case 'crash':
        return arm({ worker: fault.worker, of: fault.of }, fault.calls, (caller) =>
          struck(fault, () => hands.crash(caller, fault.down)),
        );
      case 'stall':
        return arm({ worker: fault.worker, of: fault.of }, fault.calls, (caller) =>
          struck(fault, () => {
            caller.stalledUntil = scheduler.now + fault.ms;
          }),
        );
      case 'ingress-crash':
        return hands.ingressCrash(fault.down);
      case 'fail':
        return arm({ port: fault.port }, fault.calls, () => ({ fails: fault.side }));
      case 'slow':
        return arm(fault.of === undefined ? { port: fault.port } : { of: fault.of }, fault.calls, () => ({
          slow: fault,
        }));
      case 'lapse':
        for (let n = 0; n < fault.times; n += 1) scheduler.after(n * fault.every, hands.lapse);
        return;
      default:
        return openWindow(fault);
    }
  };
  const triggered = (caller: Process, port: Port, operation: string): Fate | undefined => {
    const call = { port, operation, worker: hands.workerOf(caller) };
    for (const one of armed) {
      if (!isAbout(one, call)) continue;
      one.left -= 1;
      if (one.left > 0) continue;
      armed.delete(one);
      return one.fate(caller);
    }
    return undefined;
  };
  const fromWindows = (port: Port): Fate => {
    for (const window of windows) {
      const fate = fateIn(window, port, random);
      if (fate !== undefined) return fate;
    }
    return {};
  };
  return {
    begin,
    fateOf: (caller, port, operation) => triggered(caller, port, operation) ?? fromWindows(port),
    end() {
      windows.clear();
      armed.clear();
    },
    lag() {
      for (const window of windows) if (window.kind === 'standby' && chance(random, window.share)) return window.lag;
      return 0;
    },
    get forbidden() {
      return [...windows].some(({ kind }) => kind === 'forbid');
    },
  };
}

/** The call itself may still be under way when its caller is long gone. */
const struck = ({ side, slow }: { readonly side: Side; readonly slow: number }, strike: () => void): Fate => ({
  caller: { side, strike },
  slow: { side: 'before', ms: slow },
});

const isAbout = (
  { port, worker, of }: Armed,
  call: { readonly port: Port; readonly operation: string; readonly worker: number | undefined },
): boolean =>
  (port === undefined || port === call.port) &&
  (worker === undefined || worker === call.worker) &&
  (of === undefined || of === call.operation);

/** What a window does to a call; undefined where it lets it be. */
function fateIn(window: Window, port: Port, random: Random): Fate | undefined {
  switch (window.kind) {
    case 'outage':
      if (window.port !== port) return undefined;
      return window.hangs ? { hangs: true } : { fails: 'before' };
    case 'flaky':
      if (window.port !== port || !chance(random, window.share)) return undefined;
      return { fails: chance(random, 0.5) ? 'before' : 'after' };
    case 'throttle':
      if (port !== 'aws' || !chance(random, window.share)) return undefined;
      return { fails: 'before', error: new AwsError('ThrottlingException', 'Rate exceeded') };
    default: // what Vault answers, not whether
      return undefined;
  }
}
