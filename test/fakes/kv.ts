/** One version of a KV v2 secret; times are RFC 3339, `value` is the JSON object's text. */
export interface KvVersion {
  readonly version: number;
  readonly createdTime: string;
  readonly value: string;
  readonly deletionTime: string;
  readonly destroyed: boolean;
}

export type KvMount = { readonly accessor: string; readonly kv: 1 } | { readonly accessor: string; readonly kv: 2 };

/** Everything that Vault stores, as it is at one moment; never changed once made. */
export interface KvState {
  readonly mounts: ReadonlyMap<string, KvMount>;
  /** Versions, oldest first, by `mount` and path. */
  readonly secrets: ReadonlyMap<string, readonly KvVersion[]>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

const keyOf = (mount: string, path: string): string => `${mount}\0${path}`;

export type Kv = ReturnType<typeof createKv>;

/**
 * A Vault with KV mounts: what it stores, what it stored before, and how its nodes answer. A secret of KV v1 is kept as one
 * version, which no answer tells of. `openbao` has listings with metadata.
 */
export function createKv(now: () => number, mounts: readonly string[], openbao = false) {
  let serial = 0;
  let state: KvState = { mounts: new Map(), secrets: new Map() };
  const history: { readonly at: number; readonly state: KvState }[] = [{ at: Number.NEGATIVE_INFINITY, state }];

  const become = (next: KvState) => {
    state = next;
    history.push({ at: now(), state });
  };
  const time = (ms = now()) => {
    serial += 1;
    return goTime(ms, serial);
  };
  const versionsOf = (mount: string, path: string) => state.secrets.get(keyOf(mount, path)) ?? [];
  const setVersions = (mount: string, path: string, versions: readonly KvVersion[]) => {
    const secrets = new Map(state.secrets);
    if (versions.length === 0) secrets.delete(keyOf(mount, path));
    else secrets.set(keyOf(mount, path), versions);
    become({ ...state, secrets });
  };
  const changeLatest = (mount: string, path: string, change: (latest: KvVersion) => KvVersion): boolean => {
    const versions = versionsOf(mount, path);
    const latest = versions.at(-1);
    if (latest === undefined) return false;
    const changed = change(latest);
    if (changed === latest) return false;
    setVersions(mount, path, [...versions.slice(0, -1), changed]);
    return true;
  };
  const enable = (mount: string, kv: 1 | 2 = 2) => {
    serial += 1;
    const entry: KvMount = { accessor: `kv_${String(serial).padStart(8, '0')}`, kv };
    become({ ...state, mounts: new Map(state.mounts).set(mount, entry) });
  };
  for (const mount of mounts) enable(mount);

  return {
    get state() {
      return state;
    },
    /** What a node that lags so many ms answers from. */
    stateAt: (lag: number): KvState =>
      lag <= 0 ? state : (history.findLast(({ at }) => at <= now() - lag)?.state ?? state),
    /** Every state that it has been in during the last `ms`. */
    statesOf(ms: number): KvState[] {
      const ended = history.findLastIndex(({ at }) => at <= now() - ms);
      return history.slice(Math.max(0, ended)).map((each) => each.state);
    },
    latest: (mount: string, path: string): KvVersion | undefined => versionsOf(mount, path).at(-1),
    /** Undefined where there is no such mount; `expires` is delete_version_after in ms. */
    write(mount: string, path: string, value: string, expires?: number): KvVersion | undefined {
      const kv = state.mounts.get(mount)?.kv;
      if (kv === undefined) return undefined;
      const versions = kv === 1 ? [] : versionsOf(mount, path);
      const version: KvVersion = {
        version: (versions.at(-1)?.version ?? 0) + 1,
        createdTime: time(),
        value,
        deletionTime: expires === undefined || kv === 1 ? '' : time(now() + expires),
        destroyed: false,
      };
      setVersions(mount, path, [...versions.slice(-9), version]);
      return version;
    },
    /** Soft delete; what is deleted or destroyed already stays as it is. */
    delete: (mount: string, path: string) =>
      changeLatest(mount, path, (latest) =>
        latest.destroyed || isPast(latest.deletionTime, now()) ? latest : { ...latest, deletionTime: time() },
      ),
    undelete: (mount: string, path: string) =>
      changeLatest(mount, path, (latest) =>
        latest.destroyed || latest.deletionTime === '' ? latest : { ...latest, deletionTime: '' },
      ),
    destroy: (mount: string, path: string) =>
      changeLatest(mount, path, (latest) => (latest.destroyed ? latest : { ...latest, destroyed: true })),
    purge(mount: string, path: string): boolean {
      if (versionsOf(mount, path).length === 0) return false;
      setVersions(mount, path, []);
      return true;
    },
    enable,
    /** With everything in it. */
    disable(mount: string): void {
      const kept = [...state.secrets].filter(([key]) => !key.startsWith(`${mount}\0`));
      const others = new Map(state.mounts);
      others.delete(mount);
      become({ mounts: others, secrets: new Map(kept) });
    },
    restore: (snapshot: KvState) => become(snapshot),
    /** Answers a GET below /v1 from `from`. */
    answer: (path: string, from: KvState): HttpAnswer => answer(decodeURIComponent(path), from, now(), openbao),
  };
}

const isPast = (deletionTime: string, now: number): boolean => deletionTime !== '' && Date.parse(deletionTime) <= now;

/** What `state` has of a secret, newest last. */
export const versionsIn = (state: KvState, mount: string, path: string): readonly KvVersion[] =>
  state.secrets.get(keyOf(mount, path)) ?? [];

/** Whether a read finds it. */
export const isPresent = (version: KvVersion | undefined, now: number): version is KvVersion =>
  version !== undefined && !version.destroyed && !isPast(version.deletionTime, now);

const NO_ROUTE = '{"errors":["no handler for route. route entry not found."]}';
const NOTHING: HttpAnswer = { status: 404, text: '{"errors":[]}' };

function answer(path: string, state: KvState, now: number, openbao: boolean): HttpAnswer {
  if (path === '/auth/token/lookup-self') return { status: 200, text: '{"data":{"ttl":0}}' };
  const entry = /^\/sys\/internal\/ui\/mounts\/(.+)$/.exec(path)?.[1];
  if (entry !== undefined) return mountAnswer(entry, state.mounts.get(entry));
  const [, mount = '', rest = '', query = ''] = /^\/([^/]+)\/([^?]*)(\?.*)?$/.exec(path) ?? [];
  const kv = state.mounts.get(mount)?.kv;
  if (kv === undefined) return { status: 404, text: NO_ROUTE };
  const [, kind = '', below = ''] = /^([^/]*)\/?(.*)$/.exec(rest) ?? [];
  if (kv === 1) return query === '' ? plainAnswer(versionsIn(state, mount, rest)) : listAnswer(mount, rest, state);
  if (kind === 'data') return valueAnswer(versionsIn(state, mount, below), now);
  if (kind === 'metadata') {
    return query === '' ? metadataAnswer(versionsIn(state, mount, below)) : listAnswer(mount, below, state);
  }
  return kind === 'detailed-metadata' && openbao ? detailedAnswer(mount, below, query, state) : NOTHING;
}

/** KV v1. */
function plainAnswer(versions: readonly KvVersion[]): HttpAnswer {
  const latest = versions.at(-1);
  return latest === undefined ? NOTHING : { status: 200, text: `{"data":${latest.value}}` };
}

const metadataOf = (versions: readonly KvVersion[]) => ({
  current_version: versions.at(-1)?.version ?? 0,
  versions: Object.fromEntries(
    versions.map(({ version, createdTime, deletionTime, destroyed }) => [
      version,
      { created_time: createdTime, deletion_time: deletionTime, destroyed },
    ]),
  ),
});

const metadataAnswer = (versions: readonly KvVersion[]): HttpAnswer =>
  versions.length === 0 ? NOTHING : { status: 200, text: JSON.stringify({ data: metadataOf(versions) }) };

/** OpenBao's listing with metadata: a scan's keys are the secrets of the whole tree, a list's those of one folder. */
function detailedAnswer(mount: string, folder: string, query: string, state: KvState): HttpAnswer {
  const below = folder.replace(/\/$/, '');
  const keys = query.startsWith('?scan') ? pathsOf(mount, state) : keysOf(mount, below, state);
  if (keys.length === 0) return NOTHING;
  const prefix = below === '' ? '' : `${below}/`;
  const secrets = keys.filter((key) => !key.endsWith('/'));
  const info = secrets.map((key) => [key, metadataOf(versionsIn(state, mount, prefix + key))]);
  return { status: 200, text: JSON.stringify({ data: { keys, key_info: Object.fromEntries(info) } }) };
}

const pathsOf = (mount: string, { secrets }: KvState): string[] =>
  [...secrets.keys()].flatMap((key) => (key.startsWith(`${mount}\0`) ? [key.slice(mount.length + 1)] : []));

function mountAnswer(mount: string, entry: KvMount | undefined): HttpAnswer {
  if (entry === undefined) return { status: 403, text: '{"errors":["preflight capability check returned 403"]}' };
  const { accessor, kv } = entry;
  const data = { accessor, options: { version: String(kv) }, path: `${mount}/`, type: 'kv' };
  return { status: 200, text: JSON.stringify({ data }) };
}

function valueAnswer(versions: readonly KvVersion[], now: number): HttpAnswer {
  const latest = versions.at(-1);
  if (latest === undefined) return NOTHING;
  const { version, createdTime, deletionTime, destroyed, value } = latest;
  const present = isPresent(latest, now);
  const metadata = JSON.stringify({ created_time: createdTime, deletion_time: deletionTime, destroyed, version });
  return { status: present ? 200 : 404, text: `{"data":{"data":${present ? value : 'null'},"metadata":${metadata}}}` };
}

const listAnswer = (mount: string, folder: string, state: KvState): HttpAnswer => {
  const keys = keysOf(mount, folder.replace(/\/$/, ''), state);
  return keys.length === 0 ? NOTHING : { status: 200, text: JSON.stringify({ data: { keys } }) };
};

/** One folder; what lies deeper shows as a folder. */
function keysOf(mount: string, below: string, state: KvState): string[] {
  const prefix = below === '' ? '' : `${below}/`;
  const keys = new Set<string>();
  for (const path of pathsOf(mount, state)) {
    if (!path.startsWith(prefix)) continue;
    const [first = '', ...more] = path.slice(prefix.length).split('/');
    keys.add(more.length > 0 ? `${first}/` : first);
  }
  return [...keys];
}

/** As Go writes it: nanoseconds without trailing zeros. */
function goTime(ms: number, nanoseconds: number): string {
  const whole = Math.floor(ms);
  const fraction = `${String(((whole % 1000) + 1000) % 1000).padStart(3, '0')}${String(nanoseconds).padStart(6, '0')}`;
  const kept = fraction.replace(/0+$/, '');
  return `${new Date(whole).toISOString().slice(0, 19)}${kept === '' ? '' : `.${kept}`}Z`;
}
