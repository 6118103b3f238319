import type { Log, LogFields } from '../../src/log.ts';

export interface RecordedLine extends LogFields {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
}

/** A log that keeps its lines, as they were given. */
export function recordingLog() {
  const lines: RecordedLine[] = [];
  const at = (level: RecordedLine['level']) => (fields: LogFields) => void lines.push({ ...fields, level });
  const log: Log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return { log, lines, events: () => lines.map(({ event }) => event) };
}
