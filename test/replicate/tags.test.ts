import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { SecretRef } from '../../src/replicate/ref.ts';
import {
  absenceTag,
  foreignTags,
  missingTags,
  type Owner,
  ownershipTags,
  sourceTag,
  sourceText,
  taggedRef,
} from '../../src/replicate/tags.ts';
import { checkTags } from '../fakes/secrets-manager-limits.ts';

const owner: Owner = {
  vault: 'prod',
  route: 'all',
  ref: { namespace: 'team a', mount: 'kv', path: 'app/db' },
  mount: { accessor: 'kv_12ab34cd', kv: 2 },
};
const MOUNTS = [
  { namespace: '', mount: 'kv' },
  { namespace: 'team a', mount: 'kv' },
];
const at = (path: string): SecretRef => ({ namespace: '', mount: 'kv', path });
const tagsOf = (ref: SecretRef) => ownershipTags({ ...owner, ref });
/** A path whose source tag is cut and whose hash begins with `start`. */
function longPath(start: RegExp): string {
  for (let i = 0; ; i += 1) {
    const path = `${'long/'.repeat(60)}${i}`;
    if (start.test(sourceTag(at(path)).slice(181))) return path;
  }
}

t.test('the tags of a copy', async (t) => {
  t.same(ownershipTags(owner), {
    'vaultferry:vault': 'prod',
    'vaultferry:source': 'team=20a:kv/app/db',
    'vaultferry:route': 'all',
    'vaultferry:mount': 'kv_12ab34cd v2',
  });
  t.equal(sourceText(at('a:b%=')), 'kv/a=3Ab=25=3D');
});

t.test('a route name keeps what a tag can hold', async (t) => {
  const routeTag = (route: string) => ownershipTags({ ...owner, route })['vaultferry:route'];
  t.equal(routeTag('team-a:kv/x to eu'), 'team-a:kv/x to eu');
  t.equal(routeTag('größe_1+=.@'), 'größe_1+=.@');
  t.equal(routeTag('n%3A,\n'), 'n=253A=2C=0A');
  t.match(routeTag('x'.repeat(300)), /^x{180}=[0-9a-f]{64}$/);
});

t.test('whatever the parts are, their tags are what Secrets Manager takes', async (t) => {
  const any = fc.oneof(fc.string({ unit: 'binary', maxLength: 600 }), fc.string({ unit: 'grapheme', minLength: 250 }));
  fc.assert(
    fc.property(any, any, any, (route, accessor, path) => {
      const ref = { namespace: '', mount: 'kv', path };
      checkTags(ownershipTags({ ...owner, route, ref, mount: { accessor, kv: 2 } }));
      checkTags({ absent: `2026-11-24T22:00:00.000Z ${absenceTag(accessor, path)}` });
    }),
  );
  const route = ownershipTags({ ...owner, route: `${'a'.repeat(179)}${'𐐀'.repeat(50)}` })['vaultferry:route'];
  t.match(route, /^a{179}=[0-9a-f]{64}$/, 'no half of a character');
  t.equal(absenceTag('v2-x', '2026-11-24T21:50:00.5Z'), 'v2-x 2026-11-24T21:50:00.5Z');
  t.equal(absenceTag('a%', 'purged'), 'a=25 purged');
  t.not(absenceTag('x'.repeat(300), 'purged'), absenceTag('x'.repeat(300), 'destroyed'));
});

t.test('a source of 255 characters is whole, a longer one is its beginning and its hash', async (t) => {
  const exact = at('p'.repeat(252));
  t.equal(sourceTag(exact), sourceText(exact));
  const long = at('p'.repeat(253));
  const hash = createHash('sha256').update(sourceText(long)).digest('hex');
  t.equal(sourceTag(long), `kv/${'p'.repeat(177)}=${hash}`);
  t.not(sourceTag(long), sourceTag(at('p'.repeat(254))), 'compared whole, by the hash');
});

t.test('every tag is one that AWS takes', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 400 });
  fc.assert(
    fc.property(text, text, text, text, (route, namespace, mount, path) =>
      checkTags(ownershipTags({ ...owner, route, ref: { namespace, mount, path } })),
    ),
  );
});

t.test('a copy is ours when all four tags are', async (t) => {
  const ours = ownershipTags(owner);
  t.same(foreignTags({ ...ours, team: 'x' }, owner), []);
  t.same(foreignTags({}, owner), Object.keys(ours));
  for (const key of Object.keys(ours)) t.same(foreignTags({ ...ours, [key]: 'other' }, owner), [key]);
  t.same(foreignTags({ ...ours, 'vaultferry:mount': 'kv_12ab34cd v1' }, owner), ['vaultferry:mount']);
});

t.test('missing tags are those that lack or differ', async (t) => {
  t.same(missingTags({ a: '1', b: '2', c: '' }, { a: '1', b: 'x', d: '4' }), { b: '2', c: '' });
  t.same(missingTags({}, { a: '1' }), {});
});

t.test('the ref of a copy is found again', async (t) => {
  t.same(taggedRef(tagsOf(owner.ref), '', MOUNTS), owner.ref);
  t.same(taggedRef(tagsOf(owner.ref), 'edited by a hand', MOUNTS), owner.ref);
  t.equal(taggedRef({}, sourceText(owner.ref), MOUNTS), undefined, 'without the tag, the description is only text');
  t.equal(taggedRef(tagsOf({ ...owner.ref, mount: 'gone' }), '', MOUNTS), undefined, 'a mount that is not routed');
  t.equal(taggedRef({ 'vaultferry:source': 'kv/a%b' }, '', MOUNTS), undefined, 'not as we would have written it');
});

t.test('a cut tag is read from the description, which must make the same tag', async (t) => {
  const ref = at('é'.repeat(100));
  t.same(taggedRef(tagsOf(ref), sourceText(ref), MOUNTS), ref);
  t.equal(taggedRef(tagsOf(ref), '', MOUNTS), undefined);
  t.equal(taggedRef(tagsOf(ref), sourceText(at('other')), MOUNTS), undefined, 'a description that lies');
  t.equal(taggedRef(tagsOf(ref), sourceText(at(`${ref.path}x`)), MOUNTS), undefined);
});

t.test('a cut tag is never taken for a whole one, even where its hash begins like an escape', async (t) => {
  const ref = at(longPath(/^[0-2]\d/));
  t.same(taggedRef(tagsOf(ref), sourceText(ref), MOUNTS), ref);
  t.equal(taggedRef(tagsOf(ref), '', MOUNTS), undefined);
});

t.test('a whole tag that looks cut is read from the description', async (t) => {
  const ref = at(`${'p'.repeat(177)}\u0012${'ab'.repeat(31)}`);
  t.same(taggedRef(tagsOf(ref), sourceText(ref), MOUNTS), ref);
});

t.test('any ref is found again through tag and description', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(fc.oneof(fc.constant(''), text), text, text, (namespace, mount, path) => {
      const ref = { namespace, mount, path };
      return JSON.stringify(taggedRef(tagsOf(ref), sourceText(ref), [{ namespace, mount }])) === JSON.stringify(ref);
    }),
  );
});
