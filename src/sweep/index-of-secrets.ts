import { formatMount, type MountRef, type SecretRef } from '../replicate/ref.ts';
import type { Absent, Mount, PresentUnread } from '../replicate/source.ts';

/** A secret that a survey has found. */
export interface IndexedSecret {
  readonly ref: SecretRef;
  /** What its metadata says; `unknown` where that does not tell. */
  readonly state: PresentUnread | Absent | 'unknown';
}

/** The secrets that should have a copy at one destination, by the copy's name; each is handed out once. */
export interface IndexOfSecrets {
  /** False when the name is another secret's. */
  add(name: string, secret: IndexedSecret, mount: Mount): boolean;
  take(name: string): IndexedSecret | undefined;
  /** Those that were never taken, with their names. */
  rest(): Iterable<readonly [name: string, secret: IndexedSecret]>;
}

/** Kept as text: a hundred thousand secrets are some 20 MB so, and several times that as objects. */
export function createIndexOfSecrets(): IndexOfSecrets {
  const texts = new Map<string, string>();
  const mounts: { readonly key: string; readonly ref: MountRef; readonly mount: Mount }[] = [];
  const numberOf = (ref: MountRef, mount: Mount): number => {
    const key = `${formatMount(ref)} ${mount.accessor} ${mount.kv}`;
    const found = mounts.findIndex((known) => known.key === key);
    const { namespace } = ref;
    return found >= 0 ? found : mounts.push({ key, ref: { namespace, mount: ref.mount }, mount }) - 1;
  };
  const secretOf = (text: string): IndexedSecret => {
    const [number, path, state] = JSON.parse(text) as [number, string, Omit<Absent | PresentUnread, 'mount'> | 0];
    const known = mounts[number];
    if (known === undefined) throw new TypeError('a secret of a mount that was never added');
    const ref = { ...known.ref, path };
    return { ref, state: state === 0 ? 'unknown' : ({ ...state, mount: known.mount } as PresentUnread | Absent) };
  };
  return {
    add(name, { ref, state }, mount) {
      if (texts.has(name)) return false;
      const { mount: _, ...told } = state === 'unknown' ? { mount } : state;
      texts.set(name, JSON.stringify([numberOf(ref, mount), ref.path, state === 'unknown' ? 0 : told]));
      return true;
    },
    take(name) {
      const text = texts.get(name);
      texts.delete(name);
      return text === undefined ? undefined : secretOf(text);
    },
    *rest() {
      for (const [name, text] of texts) yield [name, secretOf(text)];
    },
  };
}
