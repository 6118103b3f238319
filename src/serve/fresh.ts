import { randomBytes } from 'node:crypto';

/** 24 hex digits that nobody has had before: what tells the puts of a KV v1 secret apart. */
export const fresh = (): string => randomBytes(12).toString('hex');
