import { BYTE_SEARCH_MODULE } from './byte-search-module.ts';

export const SLASH = 0x2f;
export const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

/** Where things lie in the memory: the tables of {@link ByteSearch.anchor}, and what is searched. */
export const BEFORE = 0;
export const AFTER = 512;
export const SEARCHED = 1024;
/** Which of two tables is the anchor's: the slash's comes first. */
export const tableOf = (anchor: number | undefined): number => (anchor === BACKSLASH ? 256 : 0);
/** 64 KiB each. */
const PAGES = 5;

/** Searches bytes of its own memory, from one address to before another. */
export interface ByteSearch {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** The first slash or backslash that stands between two bytes for which its tables have a bit in common; `end` if none does. */
  anchor(at: number, end: number): number;
  newlines(at: number, end: number): number;
}

/** TypeScript has its types only for browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Buffer) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
};

/** By vector instructions, as byte-search.wat says; without them where V8 finds none that it could use (x64 before SSE 4.1). */
export function createByteSearch(): ByteSearch {
  try {
    const module = new WebAssembly.Module(Buffer.from(BYTE_SEARCH_MODULE, 'base64'));
    return new WebAssembly.Instance(module).exports as ByteSearch;
  } catch {
    return createPlainByteSearch();
  }
}

/** The same byte by byte, several times as slow. */
export function createPlainByteSearch(): ByteSearch {
  const bytes = new Uint8Array(PAGES * 64 * 1024);
  const view = new DataView(bytes.buffer);
  return {
    memory: { buffer: bytes.buffer },
    anchor(begin, end) {
      for (let place = begin; place < end; place += 1) {
        const byte = bytes[place];
        if (byte !== SLASH && byte !== BACKSLASH) continue;
        const table = tableOf(byte);
        const before = view.getUint8(BEFORE + table + view.getUint8(place - 1));
        const after = view.getUint8(AFTER + table + view.getUint8(place + 1));
        if ((before & after) !== 0) return place;
      }
      return end;
    },
    newlines(begin, end) {
      let count = 0;
      for (let place = begin; place < end; place += 1) if (bytes[place] === NEWLINE) count += 1;
      return count;
    },
  };
}
