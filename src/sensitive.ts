import { inspect } from 'node:util';

/**
 * Holds a secret value so that no printer, serialiser or template can show it.
 * Wrapped where a value enters the program, revealed only in the call that sends it.
 */
export class Sensitive<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}
