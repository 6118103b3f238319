import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** One of bench/children in a process of its own, which answers one question after the other. */
export interface Asked<Q, A> {
  readonly pid: number;
  ask(question: Q): Promise<A>;
  stop(): Promise<void>;
}

type Reply<A> = { readonly answer: A } | { readonly error: string };

export function startAsked<Q, A>(name: string): Asked<Q, A> {
  const child = fork(new URL(`./children/${name}.js`, import.meta.url));
  const { pid = 0 } = child;
  return {
    pid,
    async ask(question) {
      child.send({ question });
      const reply = await next<Reply<A>>(child, name);
      if ('error' in reply) throw new Error(`${name}: ${reply.error}`);
      return reply.answer;
    },
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.disconnect();
      }),
  };
}

const next = <T>(child: ChildProcess, name: string): Promise<T> =>
  new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`${name} ended`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as T);
    });
  });

/** The child's end: answers what the parent asks, and ends with it. */
export function parentPort<Q, A>(answer: (question: Q) => Promise<A>): void {
  process.on('message', ({ question }: { question: Q }) => {
    answer(question).then(
      (answered) => process.send?.({ answer: answered }),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
}

/** Linux counts CPU time in hundredths of a second for every program. */
const TICKS = 100;

/** CPU seconds that a process has used; NaN where there is no /proc. */
export function cpuSecondsOf(pid: number): number {
  const fields = proc(pid, 'stat')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11] ?? Number.NaN) + Number(fields[12] ?? Number.NaN)) / TICKS;
}

/** Memory in MB: what it is now, and the most that it was. */
export function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = proc(pid, 'status');
  const kib = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? Number.NaN);
  return { now: (kib('VmRSS') * 1024) / 1e6, peak: (kib('VmHWM') * 1024) / 1e6 };
}

function proc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
