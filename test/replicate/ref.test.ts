import fc from 'fast-check';
import t from 'tap';
import { formatMount, formatRef, longestMount, type MountRef, parseRef } from '../../src/replicate/ref.ts';

const KV: MountRef = { namespace: '', mount: 'kv' };
const NESTED: MountRef = { namespace: '', mount: 'kv/nested' };
const TEAM: MountRef = { namespace: 'team-a', mount: 'kv' };
const ODD: MountRef = { namespace: 'n:%', mount: 'm:%/x' };
const mounts = [KV, NESTED, TEAM, ODD];

t.test('refs as people write them', async (t) => {
  const table = [
    ['kv/app/db', { ...KV, path: 'app/db' }],
    ['team-a:kv/app/db', { ...TEAM, path: 'app/db' }],
    ['kv/a%3Ab%25', { ...KV, path: 'a:b%' }],
    ['n%3A%25:m%3A%25/x/y', { ...ODD, path: 'y' }],
    ['kv//x/', { ...KV, path: '/x/' }],
    ['kv/nested/x', { ...NESTED, path: 'x' }],
  ] as const;
  for (const [text, ref] of table) {
    t.equal(formatRef(ref), text);
    t.same(parseRef(text, mounts), ref, text);
    t.same(parseRef(text, mounts.toReversed()), ref, `${text}, in any order of the mounts`);
  }
});

t.test('reading is as lenient as it is harmless', async (t) => {
  t.same(parseRef('kv/a%3ab', mounts), { ...KV, path: 'a:b' }, 'lower-case hex');
  t.same(parseRef('kv/50%/x%20', mounts), { ...KV, path: '50%/x%20' }, 'other percents stay');
  t.same(parseRef('team-a:kv/a:b', mounts), { ...TEAM, path: 'a:b' }, 'the first colon ends the namespace');
});

t.test('a text that names no secret of a routed mount is none', async (t) => {
  for (const text of ['', 'kv', 'kv/', 'kvx/app', 'other/app', 'team-b:kv/app', ':', 'team-a:']) {
    t.equal(parseRef(text, mounts), undefined, text);
  }
});

t.test('the longest mount that leaves a path wins', async (t) => {
  t.equal(longestMount(mounts, '', 'kv/nested/x'), 'kv/nested');
  t.equal(longestMount(mounts, '', 'kv/nested/'), 'kv', 'below kv/nested nothing is left');
  t.equal(longestMount(mounts, 'team-a', 'kv/nested/x'), 'kv');
  t.equal(longestMount(mounts, '', 'kv'), undefined);
  t.equal(longestMount([], '', 'kv/x'), undefined);
});

t.test('formatRef is undone by parseRef', async () => {
  const part = fc.string({
    unit: fc.oneof(
      fc.constantFrom('%', ':', '/', '3', 'A', '2', '5', 'a'),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
  });
  fc.assert(
    fc.property(fc.oneof(fc.constant(''), part), part, part, (namespace, mount, path) => {
      const ref = { namespace, mount, path };
      const again = parseRef(formatRef(ref), [{ namespace, mount }]);
      return JSON.stringify(again) === JSON.stringify(ref);
    }),
  );
});

t.test('a mount alone', async (t) => {
  t.equal(formatMount(KV), 'kv');
  t.equal(formatMount(ODD), 'n%3A%25:m%3A%25/x');
});
