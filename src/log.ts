import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';
import { ReplicationError } from './errors.ts';
import { stderrStream } from './log-stream.ts';

/** The part of pino that the corridor uses: an event name and its fields, never a value. */
export interface Log {
  debug(fields: LogFields): void;
  info(fields: LogFields): void;
  warn(fields: LogFields): void;
  error(fields: LogFields): void;
}

export interface LogFields {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The program's own log. */
export interface ServiceLog extends Log {
  /** Whatever the level is: `ready` and `stopped`, which whoever started the program waits for. */
  announce(fields: LogFields): void;
}

/** JSON lines on stderr, which hold nothing up when nobody reads them; for people when that is a terminal. */
export function createLog(level: string, terminal: boolean): ServiceLog {
  const { stream, always } = terminal ? terminalStreams() : stderrStreams((lines) => announcer.warn(droppedOf(lines)));
  const formatters = { level: (label: string) => ({ level: label }) };
  const options = { base: null, timestamp: stdTimeFunctions.isoTime, formatters };
  const logger = pino({ ...options, level }, stream);
  const announcer: Logger = pino({ ...options, level: 'info' }, always);
  return {
    announce: (fields) => announcer.info(safe(fields)),
    debug: (fields) => logger.debug(safe(fields)),
    info: (fields) => logger.info(safe(fields)),
    warn: (fields) => logger.warn(safe(fields)),
    error: (fields) => logger.error(safe(fields)),
  };
}

interface Streams {
  readonly stream: DestinationStream;
  /** For what is not dropped with the rest when nobody reads. */
  readonly always: DestinationStream;
}

function terminalStreams(): Streams {
  const stream = pretty({ destination: 2, sync: true, colorize: true, messageFormat: '{event}', ignore: 'event' });
  return { stream, always: stream };
}

function stderrStreams(onDropped: (lines: number) => void): Streams {
  const stream = stderrStream(onDropped);
  return { stream, always: { write: stream.insist } };
}

const droppedOf = (lines: number) => ({ event: 'log.dropped', lines, text: 'whoever reads the log had stalled' });

/** Before pino sees it: pino would make an error's own message the line's. */
const safe = (fields: LogFields): object =>
  'err' in fields ? { ...fields, err: describeError(fields['err']) } : fields;

/** Our own errors say what they may. A foreign one's text may quote what it was about, so only its kind and place show. */
function describeError(error: unknown): object {
  if (error instanceof ReplicationError) return { code: error.code, text: error.message };
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack = '' } = error;
  const frames = stack.startsWith(`${name}: ${message}`) ? stack.slice(name.length + message.length + 2) : '';
  return { type: error.constructor.name, stack: frames.split('\n').flatMap((line) => line.trim() || []) };
}
