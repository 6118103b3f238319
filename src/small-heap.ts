import v8 from 'node:v8';

/**
 * V8 makes room ahead of need, which suits a browser. Audit lines and pages of a listing leave nothing but garbage behind,
 * and with these two a process has half of the memory at no loss of speed: an ingress under full load 100 MB instead of
 * 150, a sweep of 100,000 secrets 154 instead of 284. Imported first, because the modules that follow make the heap grow.
 */
for (const flag of [
  '--semi-space-growth-factor=1', // of what is young
  '--heap-growing-percent=60', // of what is old, from one collection to the next; V8's own choice is up to 300
]) {
  v8.setFlagsFromString(flag);
}
