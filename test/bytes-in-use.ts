import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that are really in use: garbage comes and goes as V8 likes, and the memory of WebAssembly one collection later. */
export function bytesInUse(): number {
  v8.setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
