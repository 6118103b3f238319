import t from 'tap';
import { createBearerDoor } from '../../src/bearer.ts';
import { createCertificate } from '../../src/certificate.ts';
import type { Config } from '../../src/config/config.ts';
import { createReload, replaceableCertificate, replaceableTokens } from '../../src/serve/reload.ts';
import { parse, withSections } from '../config/examples.ts';
import { recordingLog } from '../fakes/log.ts';
import { createAuthority } from '../servers/certificates.ts';

const authority = createAuthority('an authority');
const TLS = { certFile: 'cert', keyFile: 'key' };

const configOf = (tokens: readonly string[], more: object = {}, ingress: object = {}): Config => {
  const http = { listen: 'https://127.0.0.1:0', tokens };
  return parse(withSections({ ingress: { http, tls: TLS, ...ingress }, ...more }));
};

/** A door with one token, its certificate, and what SIGHUP does with the configurations that `load` gives. */
function house(load: () => Promise<Config>) {
  const files: Record<string, string> = { ...authority.issue('first') };
  const { log, lines } = recordingLog();
  const config = configOf(['old']);
  const door = createBearerDoor(config.ingress === false ? [] : config.ingress.http?.tokens);
  const certificate = createCertificate('ingress.tls', false, async (path) => files[path] ?? '');
  const inUse: string[] = [];
  const told = {
    ...certificate,
    prepare: async (...given: Parameters<typeof certificate.prepare>) => {
      const apply = await certificate.prepare(...given);
      return () => {
        inUse.push(files['cert'] ?? '');
        apply();
      };
    },
  };
  const tokensOf = ({ ingress }: Config) => (ingress === false ? undefined : ingress.http?.tokens) ?? 'none';
  const parts = [
    replaceableTokens('ingress.http.tokens', door, tokensOf),
    replaceableCertificate('ingress.tls', told, ({ ingress }) => (ingress === false ? undefined : ingress.tls)),
  ];
  const opens = (...tokens: string[]) => tokens.map((token) => door.authorized(`Bearer ${token}`));
  return { files, lines, inUse, opens, reload: createReload({ config, load, parts, log }) };
}

t.test('tokens and certificates are replaced, and the log says so', async (t) => {
  const { files, lines, inUse, opens, reload } = house(async () => configOf(['new', 'newer']));
  Object.assign(files, authority.issue('second'));
  await reload();
  t.same(opens('old', 'new', 'newer'), [false, true, true]);
  t.same(inUse, [files['cert']]);
  t.strictSame(lines, [{ level: 'info', event: 'reloaded', read: ['ingress.http.tokens', 'ingress.tls'] }]);
});

t.test('what takes a restart is named by its section, and left as it is', async (t) => {
  const other = configOf(['new'], { routes: [{ mount: 'other' }], log: { level: 'warn' } }, { maxLineBytes: 1_000 });
  const { lines, opens, reload } = house(async () => other);
  await reload();
  t.same(opens('old', 'new'), [false, true]);
  t.match(lines, [{ event: 'reloaded', restart: ['ingress', 'log', 'routes'] }]);
});

t.test('a door that is no longer configured keeps its locks until the restart', async (t) => {
  const { lines, inUse, opens, reload } = house(async () => parse(withSections({ ingress: false })));
  await reload();
  t.same([opens('old'), inUse], [[true], []]);
  t.match(lines, [{ event: 'reloaded', read: [], restart: ['ingress'] }]);
});

t.test('where anything is wrong nothing is changed, and it is told', async (t) => {
  const broken = house(async () => configOf(['new']));
  broken.files['key'] = 'canary';
  await broken.reload();
  t.same([broken.opens('old', 'new'), broken.inUse], [[true, false], []]);
  t.match(broken.lines, [
    { level: 'error', event: 'reload.failed', text: /^nothing was changed: ingress\.tls\.keyFile/ },
  ]);
  t.notMatch(JSON.stringify(broken.lines), /canary/);
  const invalid = house(async () => parse(withSections({ ingress: { http: { tokens: [] } } })));
  await invalid.reload();
  t.same(invalid.opens('old'), [true]);
  t.match(invalid.lines, [{ event: 'reload.failed', text: /ingress\.http\.tokens/ }]);
  const odd = house(() => Promise.reject('canary'));
  await odd.reload();
  t.match(odd.lines, [{ event: 'reload.failed', text: 'nothing was changed: unexpected' }]);
});

t.test('two requests at once are served one after the other, the last one last', async (t) => {
  const answers = [configOf(['first']), configOf(['second'])];
  const { opens, reload } = house(async () => {
    const next = answers.shift() as Config;
    if (answers.length > 0) await new Promise(setImmediate); // the first takes longer
    return next;
  });
  await Promise.all([reload(), reload()]);
  t.same(opens('first', 'second'), [false, true]);
});

t.test('a door without tokens is open, and may be given some', async (t) => {
  const door = createBearerDoor(undefined);
  t.equal(door.authorized(undefined), true);
  const part = replaceableTokens('admin.token', door, ({ admin }) => admin.token && [admin.token]);
  (await part.prepare(parse(withSections({ admin: { token: 'new' } }))))?.();
  t.same([door.authorized(undefined), door.authorized('Bearer new')], [false, true]);
  (await part.prepare(parse(withSections({}))))?.();
  t.equal(door.authorized(undefined), true);
});
