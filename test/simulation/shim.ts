import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { createRandom, type Random } from './random.ts';

let random: Random = Math.random;

/**
 * Chance and time-outs of this thread come from the seed: what `src` takes from Node itself, besides its ports. A signal
 * of AbortSignal.timeout never aborts here; whoever is handed it finds the time in {@link limitOf} and keeps it virtually.
 */
export function seedThread(seed: string): void {
  random = createRandom(seed);
  if (Math.random === virtualRandom) return;
  Math.random = virtualRandom;
  crypto.randomUUID = virtualUuid;
  crypto.randomBytes = virtualBytes as typeof crypto.randomBytes;
  syncBuiltinESMExports();
  AbortSignal.timeout = (ms) => {
    const { signal } = new AbortController();
    limits.set(signal, ms);
    return signal;
  };
}

const limits = new WeakMap<AbortSignal, number>();

export const limitOf = (signal: AbortSignal | undefined): number | undefined =>
  signal === undefined ? undefined : limits.get(signal);

const virtualRandom = (): number => random();

const virtualBytes = (size: number): Buffer =>
  Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));

function virtualUuid(): `${string}-${string}-${string}-${string}-${string}` {
  const part = (length: number) => Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
  return `${part(8)}-${part(4)}-4${part(3)}-8${part(3)}-${part(12)}`;
}
