/** Where a value stands: names of mapping keys, and numbers for places in lists. */
export type KeyPath = readonly (string | number)[];

const formatPart = (part: string | number, first: boolean): string => {
  if (typeof part === 'number') return `[${part}]`;
  if (!/^[A-Za-z_][\w-]*$/.test(part)) return `[${JSON.stringify(part)}]`;
  return first ? part : `.${part}`;
};

/** The path as people write it: `routes[1].mount`; names that are no plain word are quoted in brackets. */
export const formatKey = (path: KeyPath): string => path.map((part, i) => formatPart(part, i === 0)).join('');

/** Reads a JSON pointer into `tree`, which tells places in lists from mapping keys that look like numbers. */
export function fromPointer(pointer: string, tree: unknown): KeyPath {
  const path: (string | number)[] = [];
  let node = tree;
  for (const segment of pointer.split('/').slice(1)) {
    const name = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(node) ? Number(name) : name);
    node = childOf(node, name);
  }
  return path;
}

/** The value below a list place or a mapping key of its own; undefined where there is none. */
export const childOf = (node: unknown, name: string | number): unknown =>
  typeof node === 'object' && node !== null && Object.hasOwn(node, name) ? Reflect.get(node, name) : undefined;
