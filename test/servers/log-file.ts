import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';

export interface LogFile {
  /** All whole lines written since the log was opened here; the one still being written is not among them. */
  lines(): readonly string[];
}

/** Follows a log that another process appends to, from its present end on. Each call reads only what is new. */
export function followLog(path: string): LogFile {
  let position = existsSync(path) ? statSync(path).size : 0;
  let rest: Buffer = Buffer.alloc(0);
  const lines: string[] = [];
  return {
    lines: () => {
      const added = existsSync(path) ? readFrom(path, position) : Buffer.alloc(0);
      position += added.length;
      rest = Buffer.concat([rest, added]);
      const end = rest.lastIndexOf(10);
      if (end < 0) return lines;
      for (const line of rest.subarray(0, end).toString('utf8').split('\n')) lines.push(line);
      rest = rest.subarray(end + 1);
      return lines;
    },
  };
}

function readFrom(path: string, position: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.max(0, fstatSync(file).size - position));
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, position));
  } finally {
    closeSync(file);
  }
}
