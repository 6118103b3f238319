import t from 'tap';
import { type AuditFacts, type Device, type Doors, goDuration, judgeAudit } from '../../../src/doctor/checks/audit.ts';
import type { Product } from '../../../src/doctor/checks/server.ts';
import { said, states } from '../said.ts';

const DOORS: Doors = { socket: { kind: 'tcp', host: '127.0.0.1', port: 9090 }, http: undefined };
const HTTP: Doors = { socket: false, http: { host: '127.0.0.1', port: 8080 } };
const UNIX: Doors = { socket: { kind: 'unix', path: '/run/vaultferry/audit.sock' }, http: undefined };
const ANY: Doors = { socket: { kind: 'tcp', host: '127.0.0.1', port: 0 }, http: undefined };

const device = (path: string, type: string, options: Device['options'] = {}): Device => ({ path, type, options });
const FILE = device('file/', 'file', { file_path: '/var/log/audit.log' });
const socket = (options: Device['options'] = {}) =>
  device('vaultferry/', 'socket', { address: '127.0.0.1:9090', socket_type: 'tcp', ...options });
const http = (uri: string) => device('web/', 'http', { uri, headers: '{"Authorization":["Bearer a-secret"]}' });

const judge = (devices: readonly Device[], doors: Doors = DOORS, product: Product = 'Vault') =>
  judgeAudit({ kind: 'devices', devices, doors, product });
const wrong = (...args: Parameters<typeof judge>) => judge(...args).filter(({ state }) => state !== 'ok');

t.test('two devices, one of them ours', async (t) => {
  t.strictSame(states(judge([socket(), FILE])), ['ok push', 'ok second device', 'ok log_raw', 'ok write_timeout']);
  const unix = device('vf/', 'socket', { address: '/run/vaultferry/audit.sock', socket_type: 'unix' });
  for (const [devices, doors] of [
    [[unix, FILE], UNIX],
    [[device('vf/', 'socket', { address: 'ingress:9090' }), FILE], DOORS],
    [[http('http://127.0.0.1:1234/v1/audit?ack=received'), FILE], { socket: false, http: { host: '::1', port: 0 } }],
    [[socket({ address: '127.0.0.1:45678' }), FILE], ANY],
    [[http('http://127.0.0.1:8080/v1/audit?ack=received'), FILE], HTTP],
    [[http('https://proxy.example/v1/audit?ack=received'), FILE], HTTP],
  ] as const) {
    t.strictSame(
      states(wrong(devices, doors)),
      [],
      `${devices[0]?.type} ${doors.socket === false ? 'http' : 'socket'}`,
    );
  }
});

t.test('no device of ours', async (t) => {
  const cases: readonly (readonly [string, readonly Device[], Doors, string[]])[] = [
    ['none at all', [], DOORS, ['failure push', 'failure second device']],
    ['a file alone', [FILE], DOORS, ['failure push']],
    ['a file, and perhaps a forwarder', [FILE], HTTP, ['warning push']],
    ['none, and a forwarder', [], HTTP, ['failure push', 'failure second device']],
    ['another address', [socket({ address: '127.0.0.1:9091' }), FILE], DOORS, ['warning push']],
    ['a port that ends alike', [socket({ address: '127.0.0.1:19090' }), FILE], DOORS, ['warning push']],
    ['another kind', [socket({ socket_type: 'udp' }), FILE], DOORS, ['warning push']],
    ['another path', [socket({ socket_type: 'unix', address: '/tmp/x' }), FILE], UNIX, ['warning push']],
    ['tcp for unix', [socket({ address: '/run/vaultferry/audit.sock' }), FILE], UNIX, ['warning push']],
    ['a socket, and only http is open', [socket(), FILE], HTTP, ['warning push']],
    ['another uri', [http('http://127.0.0.1:8080/other'), FILE], HTTP, ['warning push']],
    ['another port of it', [http('http://127.0.0.1:8081/v1/audit'), FILE], HTTP, ['warning push']],
    ['http, and only a socket is open', [http('http://127.0.0.1:8080/v1/audit'), FILE], DOORS, ['warning push']],
    ['no address', [device('s/', 'socket'), FILE], DOORS, ['warning push']],
    ['no options', [device('h/', 'http'), FILE], HTTP, ['warning push']],
    ['no uri', [http('env://AUDIT'), FILE], HTTP, ['warning push']],
    ['an unreadable uri', [http(':'), FILE], HTTP, ['warning push']],
  ];
  for (const [what, devices, doors, expected] of cases) t.strictSame(states(wrong(devices, doors)), expected, what);
});

t.test('how the device is enabled', async (t) => {
  t.match(said(wrong([FILE])), /vault audit enable -path=vaultferry socket address=127\.0\.0\.1:9090 socket_type=tcp/);
  t.match(said(wrong([FILE], UNIX)), /address=\/run\/vaultferry\/audit\.sock socket_type=unix/);
  t.match(
    said(wrong([FILE], DOORS, 'OpenBao')),
    /audit "socket" "vaultferry" \{ options \{ address = "127\.0\.0\.1:9090"/,
  );
  t.match(said(wrong([FILE], HTTP)), /port 8080\) with \/v1\/audit\?ack=received/);
  t.match(said(wrong([], { socket: false, http: undefined })), /uri to that of ingress\.http with/);
});

t.test('ours is the only one', async (t) => {
  t.strictSame(states(wrong([socket()])), ['failure second device']);
  t.match(said(wrong([socket()])), /refuses every request -> vault audit enable file /);
  t.match(said(wrong([socket()], DOORS, 'OpenBao')), /audit "file" "file" \{/);
  t.strictSame(states(wrong([socket(), device('again/', 'socket', { address: 'ingress:9090' })])), [
    'failure second device',
  ]);
});

t.test('values in plain text', async (t) => {
  t.strictSame(states(wrong([socket({ log_raw: 'true' }), FILE])), ['failure log_raw']);
  t.strictSame(states(wrong([socket({ log_raw: '1' }), FILE])), ['failure log_raw']);
  t.strictSame(states(wrong([socket({ log_raw: 'false' }), FILE])), []);
  t.strictSame(states(wrong([socket(), { ...FILE, options: { log_raw: 'TRUE' } }])), ['warning log_raw']);
  const both = wrong([socket({ log_raw: 'true' }), { ...FILE, options: { log_raw: 'true' } }]);
  t.match(said(both), /vaultferry\/, file\/ write tokens/);
  t.strictSame(states(both), ['failure log_raw']);
});

t.test('how long Vault waits for us', async (t) => {
  const cases: readonly (readonly [string, string[]])[] = [
    ['2s', []],
    ['500ms', []],
    ['2', []],
    ['2001ms', ['warning write_timeout']],
    ['1m', ['warning write_timeout']],
    ['0', ['failure write_timeout']],
    ['0s', ['failure write_timeout']],
    ['soon', ['not_checked write_timeout']],
  ];
  for (const [write_timeout, expected] of cases) {
    t.strictSame(states(wrong([socket({ write_timeout }), FILE])), expected, write_timeout);
  }
  t.strictSame(states(wrong([socket(), { ...FILE, options: { write_timeout: '1h' } }])), [], 'that of others');
});

t.test("durations as Go's", async (t) => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['1m30s', 90_000],
    ['1.5s', 1_500],
    ['1h', 3_600_000],
    ['250ms', 250],
    ['30', 30_000],
    ['', undefined],
    ['1.5', undefined],
    ['2 s', undefined],
    ['2d', undefined],
  ];
  for (const [text, ms] of cases) t.equal(goDuration(text), ms, text);
});

t.test('lines that we cannot read', async (t) => {
  t.strictSame(states(wrong([socket({ format: 'jsonx' }), FILE])), ['failure format']);
  t.strictSame(states(wrong([socket({ prefix: '@cee: ' }), FILE])), ['failure format']);
  t.strictSame(states(wrong([socket({ format: 'json', prefix: '' }), FILE])), []);
  t.strictSame(states(wrong([socket(), { ...FILE, options: { format: 'jsonx' } }])), [], 'those of others');
});

t.test('a device that waits for SQS', async (t) => {
  for (const uri of ['http://127.0.0.1:8080/v1/audit', 'http://127.0.0.1:8080/v1/audit?ack=queued']) {
    const findings = wrong([http(uri), FILE], HTTP);
    t.strictSame(states(findings), ['warning ack']);
    t.notMatch(said(findings), /a-secret/);
  }
});

t.test('what is not known, and what is not needed', async (t) => {
  const unknown: AuditFacts = { kind: 'unknown', reason: 'it needs sudo', mend: 'set it' };
  t.match(judgeAudit(unknown), [{ state: 'not_checked', check: 'devices', found: 'it needs sudo', mend: 'set it' }]);
  t.strictSame(Object.keys(judgeAudit({ kind: 'unknown', reason: 'x' })[0] ?? {}), ['check', 'state', 'found']);
  t.strictSame(states(judgeAudit({ kind: 'pull' })), ['ok devices']);
});
