import type { CarryRoom } from '../audit/carry.ts';
import { type AuditEntry, parseEntry } from '../audit/entry.ts';
import { createLineScanner, type LineCounts, type LineScanner } from '../audit/lines.ts';
import type { MarkerSearch } from '../audit/marker-search.ts';
import { LEAST_ENTRY_BYTES } from './wrapped.ts';

export interface ConnectionOptions {
  readonly search: MarkerSearch;
  readonly maxLineBytes: number;
  /** What all connections together may keep of lines that have not ended. */
  readonly room?: CarryRoom | undefined;
  readonly onEntry: (entry: AuditEntry) => void;
  /** The first valid entry: this is Vault, and whatever its last connection lost is committed by now. */
  readonly onVault: () => void;
  /** So many lines of what was pushed are no entries. */
  readonly onMalformed: (lines: number) => void;
  readonly onSkipped: (bytes: number) => void;
}

export interface Connection {
  push(chunk: Buffer): void;
  end(): void;
  readonly counts: LineCounts;
}

/** One stream of audit lines: every line is read until the first valid one, then only those of interest. */
export function createConnection(options: ConnectionOptions): Connection & Pick<LineScanner, 'retainedBytes'> {
  let known = false;
  let malformed = 0;
  const onLine = (line: Buffer) => {
    const entry = line.length < LEAST_ENTRY_BYTES ? undefined : parseEntry(line);
    if (entry === undefined) {
      malformed += 1; // told together: there may be thousands in one chunk
      return;
    }
    if (!known) {
      known = true;
      scanner.everyLine = false;
      options.onVault();
    }
    options.onEntry(entry);
  };
  const { search, maxLineBytes, room, onSkipped } = options;
  const scanner: LineScanner = createLineScanner({ search, maxLineBytes, room, onLine, onSkipped });
  scanner.everyLine = true;
  const { push } = scanner;
  scanner.push = (chunk) => {
    push(chunk);
    if (malformed > 0) options.onMalformed(malformed);
    malformed = 0;
  };
  return scanner;
}
