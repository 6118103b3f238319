import type { Received } from '../queue/ports.ts';

/** What became of a group's messages. */
export interface Settlement {
  /** They are done with. */
  readonly acknowledge: readonly Received[];
  /** Given back to SQS for so many seconds: the next look costs them a receive. */
  readonly hide: readonly { readonly messages: readonly Received[]; readonly seconds: number }[];
  /** Kept until they are looked at again. */
  readonly wait?: readonly Wait[];
}

/** Messages that this process keeps hidden, at the cost of no receive: so many seconds, or until a part of the gate is up. */
export type Wait = { readonly messages: readonly Received[] } & (
  | { readonly seconds: number }
  | { readonly part: string }
);
