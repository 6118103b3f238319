import type { BoxOptions } from '../dead-letters/box.ts';
import type { LetterQueue } from '../dead-letters/queue.ts';
import type { SendBack } from '../dead-letters/send-back.ts';
import { ReplicationError } from '../errors.ts';

/** What `vaultferry dlq` works with. */
export interface DlqCommand extends SendBack, BoxOptions {
  readonly queue: LetterQueue;
  readonly json: boolean;
  /** Whether every question is answered with yes. */
  readonly yes: boolean;
  readonly ask: (question: string) => Promise<boolean>;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Shows how far it is where a person looks on; "" ends that. */
  readonly progress: (text: string) => void;
}

/** Why a command ended before it was done; rethrows what is a fault of this program. */
export function whyStopped({ signal }: DlqCommand, error: unknown): string {
  if (signal.aborted) return 'interrupted before all were tried';
  if (error instanceof ReplicationError) return `ended before all were tried: ${error.message} (${error.code})`;
  throw error;
}
