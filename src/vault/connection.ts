import type { Sensitive } from '../sensitive.ts';
import { createSpaced, realTiming, type Timing } from './spaced.ts';
import type { TokenReader } from './token.ts';

/** Where Vault is and how to show it who we are, as one secret tells it. */
export interface Connection {
  /** Scheme, host and port. */
  readonly address: string;
  readonly token: Sensitive<string>;
}

/** Reads the secret. Throws source_unavailable with a text that says what to do. */
export type ReadConnection = () => Promise<Connection>;

export interface ConnectionReader extends TokenReader {
  address(): Promise<string>;
}

/** How long what was read is believed unasked, in ms: a Vault that has moved answers nothing, so nothing would say so. */
const BELIEVED = 5 * 60_000;
/** The least time between two readings that 403s ask for, in ms. */
const APART = 2000;

/** Reads the secret at the first request, every five minutes, and at a 403. What was read last stays in use meanwhile. */
export function createConnectionReader(read: ReadConnection, timing: Timing = realTiming): ConnectionReader {
  const { now } = timing;
  let held: (Connection & { readonly since: number }) | undefined;
  const readings = createSpaced(async () => {
    held = { ...(await read()), since: now() };
    return held;
  }, timing);
  const latest = async (): Promise<Connection> => {
    const known = held;
    if (known === undefined) return readings.run();
    return now() - known.since < BELIEVED ? known : readings.run().catch(() => known);
  };
  return {
    address: async () => (await latest()).address,
    current: async () => (await latest()).token,
    refresh: async (used) => {
      const known = held;
      const due = known === undefined || now() - known.since >= APART;
      const { token } = due ? await readings.run().catch(() => known ?? latest()) : known;
      return token.reveal() !== used.reveal();
    },
  };
}
