import t from 'tap';
import type { Mount } from '../../src/replicate/source.ts';
import { createIndexOfSecrets, type IndexedSecret } from '../../src/sweep/index-of-secrets.ts';
import { at } from './house.ts';

const KV: Mount = { accessor: 'kv_1', kv: 2 };
const OTHER: Mount = { accessor: 'kv_2', kv: 2 };

t.test('each secret is handed out once, as it came, and the rest is what never was', async (t) => {
  const index = createIndexOfSecrets();
  const latest = { version: 3, createdTime: '2026-11-24T21:40:00.1Z' };
  const secrets: Record<string, IndexedSecret> = {
    a: { ref: at('é/"a'), state: { kind: 'present', mount: KV, ...latest } as IndexedSecret['state'] },
    b: { ref: at('b', 'other'), state: { kind: 'absent', mount: OTHER, why: 'deleted', latest, deletionTime: 'x' } },
    c: { ref: at('c'), state: 'unknown' },
    d: { ref: at('d'), state: { kind: 'absent', mount: KV, why: 'purged' } },
  };
  for (const [name, secret] of Object.entries(secrets)) {
    t.equal(index.add(name, secret, secret.ref.mount === 'kv' ? KV : OTHER), true);
  }
  t.equal(index.add('a', { ref: at('second'), state: 'unknown' }, KV), false, 'the name is taken');
  t.same(index.take('b'), secrets['b']);
  t.equal(index.take('b'), undefined);
  t.same(
    [...index.rest()],
    ['a', 'c', 'd'].map((name) => [name, secrets[name]]),
  );
});
