/** A stream of numbers in [0, 1). */
export type Random = () => number;

/** The same numbers for the same seed, everywhere: xmur3 mixes the text, sfc32 draws from it (both in the public domain). */
export function createRandom(seed: string): Random {
  let hash = 1779033703 ^ seed.length;
  for (let i = 0; i < seed.length; i += 1) {
    hash = Math.imul(hash ^ seed.charCodeAt(i), 3432918353);
    hash = (hash << 13) | (hash >>> 19);
  }
  const mix = () => {
    hash = Math.imul(hash ^ (hash >>> 16), 2246822507);
    hash = Math.imul(hash ^ (hash >>> 13), 3266489909);
    hash ^= hash >>> 16;
    return hash >>> 0;
  };
  let [a, b, c, d] = [mix(), mix(), mix(), mix()];
  return () => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4294967296;
  };
}

export const between = (random: Random, low: number, high: number): number => low + random() * (high - low);

/** Each order of magnitude as often as the next. */
export const spread = (random: Random, low: number, high: number): number =>
  Math.exp(between(random, Math.log(low), Math.log(high)));

export const count = (random: Random, low: number, high: number): number => Math.floor(between(random, low, high + 1));

export const chance = (random: Random, share: number): boolean => random() < share;

export function pick<T>(random: Random, members: readonly T[]): T {
  const member = members[Math.floor(random() * members.length)];
  if (member === undefined) throw new RangeError('nothing to pick from');
  return member;
}
