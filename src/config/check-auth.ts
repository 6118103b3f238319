import type { Finding } from './errors.ts';
import type { ConfigFile } from './schema.ts';

type AuthFile = NonNullable<ConfigFile['vault']['auth']>;
type Method = AuthFile['method'];
type Key = keyof AuthFile;

interface Keys {
  /** Of each group exactly one. */
  readonly needs: readonly (readonly Key[])[];
  readonly may: readonly Key[];
}

const KEYS: Readonly<Record<Method, Keys>> = {
  token: { needs: [['token', 'tokenFile', 'connectionSecret']], may: [] },
  approle: {
    needs: [
      ['roleId', 'roleIdFile'],
      ['secretId', 'secretIdFile'],
    ],
    may: ['mount'],
  },
  aws: { needs: [['role']], may: ['region', 'header', 'mount'] },
  kubernetes: { needs: [['role']], may: ['jwtFile', 'mount'] },
};

const keysOf = ({ needs, may }: Keys): readonly Key[] => [...needs.flat(), ...may];

/** What the method lacks, and what stands there that only another method takes. */
export function checkAuth(auth: AuthFile): Finding[] {
  const known = [...keysOf(KEYS[auth.method]), 'method', 'namespace'];
  const strange = (Object.keys(auth) as Key[]).filter((key) => auth[key] !== undefined && !known.includes(key));
  return [
    ...KEYS[auth.method].needs.flatMap((group) => lacking(auth, group)),
    ...strange.map((key) => ({ path: ['vault', 'auth', key], text: notFor(auth.method, key) })),
  ];
}

function lacking(auth: AuthFile, group: readonly Key[]): Finding[] {
  if (group.filter((key) => auth[key] !== undefined).length === 1) return [];
  const [only = '', ...others] = group;
  if (others.length === 0) {
    return [{ path: ['vault', 'auth', only], text: `is missing; method ${auth.method} needs it` }];
  }
  return [{ path: ['vault', 'auth'], text: `method ${auth.method} needs exactly one of ${group.join(', ')}` }];
}

function notFor(method: Method, key: Key): string {
  const takers = (Object.keys(KEYS) as Method[]).filter((other) => keysOf(KEYS[other]).includes(key));
  return `is not for method ${method}; it belongs to ${takers.join(', ')}`;
}
