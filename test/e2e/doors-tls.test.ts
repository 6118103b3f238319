import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import t from 'tap';
import { kvEntry } from '../audit/entries.ts';
import { createAuthority, type Issued } from '../servers/certificates.ts';
import { startOpenBao } from '../servers/openbao.ts';
import { startRoto } from '../servers/roto.ts';
import { startVaultFerry, type VaultFerry } from '../servers/vaultferry.ts';

const folder = await mkdtemp(join(tmpdir(), 'vaultferry-doors-'));
t.teardown(() => rm(folder, { recursive: true, force: true }));
const file = (name: string) => join(folder, name);
const roto = await startRoto();
t.teardown(() => roto.stop());
const queues = await roto.createQueues({ name: 'doors' });

/** Starts an ingress that reads its configuration from a file. */
async function startIngress(name: string, sections: object): Promise<VaultFerry> {
  await configure(name, sections);
  const args = ['--role', 'ingress', '--config', file(`${name}.yaml`)];
  const ferry = await startVaultFerry({ config: '', env: roto.env, args, dir: folder, name });
  t.teardown(() => ferry.stop());
  return ferry;
}

const configure = (name: string, sections: object): Promise<void> => {
  const rest = { queue: queues, routes: [{ mount: 'kv', kvVersion: 2 }], log: { level: 'info' } };
  return writeFile(file(`${name}.yaml`), JSON.stringify({ ...rest, ...sections }));
};

const entry = (path: string) =>
  `${JSON.stringify(kvEntry({ namespace: '', mount: 'kv' }, 'update', `data/${path}`))}\n`;
const queued = (ferry: VaultFerry, path: string) =>
  ferry.waitForLog(({ event, ref }) => event === 'change.queued' && ref === `kv/${path}`);

t.test("OpenBao's http device posts each entry, and goes on without VaultFerry", async (t) => {
  const http = { listen: 'http://127.0.0.1:0', tokens: ['an-audit-token'] };
  const admin = { listen: 'http://127.0.0.1:0' };
  const ferry = await startIngress('posted', { ingress: { socket: false, http }, admin });
  await writeFile(file('authorization'), 'Bearer an-audit-token', { mode: 0o600 });
  const uri = `${String(ferry.ready['http'])}/v1/audit?ack=received`;
  const bao = await startOpenBao({ auditHttp: { uri, authorizationFile: file('authorization') } });
  t.teardown(() => bao.stop());
  await bao.createKv('kv', 2);
  await bao.put('kv', 'app/db', { password: 'a-secret-value' });
  t.ok(await queued(ferry, 'app/db'));
  const metrics = await (await fetch(`${String(ferry.ready['admin'])}/metrics`)).text();
  t.notMatch(metrics, /audit_lines_total\{result="(malformed|skipped)"\}/);
  await ferry.stop();
  await bao.put('kv', 'app/db', { password: 'another-value' });
  const log = await readFile(ferry.stderrPath, 'utf8');
  t.notMatch(log, /a-secret-value|an-audit-token/);
});

const authority = createAuthority('an authority');
const clients = createAuthority('an authority of clients');
const client = { ...clients.issue('a sender'), ca: authority.cert };

const use = ({ cert, key }: Issued) =>
  Promise.all([writeFile(file('cert.pem'), cert), writeFile(file('key.pem'), key)]);
const certificate = { certFile: file('cert.pem'), keyFile: file('key.pem') };
const secured = (tokens: readonly string[]) => ({
  ingress: {
    socket: 'tls://127.0.0.1:0',
    http: { listen: 'https://127.0.0.1:0', tokens },
    tls: { ...certificate, clientCaFile: file('clients.pem') },
  },
  admin: { listen: 'https://127.0.0.1:0', token: 'an-admin-token', tls: certificate },
});

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  /** The name in the server's certificate. */
  readonly name: string;
}

async function ask(url: string, options: https.RequestOptions, body = ''): Promise<Answer> {
  const request = https.request(url, { ...options, agent: false });
  request.end(body);
  const [answer] = (await once(request, 'response')) as [Parameters<NonNullable<Parameters<typeof https.get>[2]>>[0]];
  const name = String((answer.socket as tls.TLSSocket).getPeerCertificate().subject.CN);
  return { status: answer.statusCode, body: await text(answer), name };
}

t.test('all doors over TLS, with a new certificate and a new token on SIGHUP', async (t) => {
  await writeFile(file('clients.pem'), clients.cert);
  await use(authority.issue('first'));
  const ferry = await startIngress('secured', secured(['old-token']));
  const [socketUrl, http, admin] = ['socket', 'http', 'admin'].map((door) => String(ferry.ready[door]));
  t.match([socketUrl, http, admin], [/^tls:/, /^https:/, /^https:/]);

  const { hostname: host, port } = new URL(String(socketUrl));
  const device = tls.connect({ host, port: Number(port), ...client });
  t.teardown(() => device.destroy());
  device.write(entry('before'));
  await queued(ferry, 'before');

  const post = (token: string, path: string, options: https.RequestOptions = client) => {
    const headers = { authorization: `Bearer ${token}` };
    return ask(`${http}/v1/audit?ack=received`, { ...options, method: 'POST', headers }, entry(path));
  };
  t.match(await post('old-token', 'posted'), { status: 204, name: 'first' });
  await t.rejects(post('old-token', 'refused', { ca: authority.cert }), 'without a certificate of its own');
  t.match(await ask(`${admin}/healthz`, { ca: authority.cert }), { status: 200, name: 'first' });

  const hangUp = (event: string) => {
    const told = ferry.logs().filter((line) => line['event'] === event).length;
    ferry.kill('SIGHUP');
    return ferry.waitForLog(() => ferry.logs().filter((line) => line['event'] === event).length > told);
  };
  await configure('secured', secured(['old-token', 'new-token']));
  await writeFile(file('key.pem'), 'not a key');
  await hangUp('reload.failed');
  t.match(await post('new-token', 'refused'), { status: 401, name: 'first' }, 'all or nothing');
  await use(authority.issue('second'));
  await hangUp('reloaded');
  t.match(
    ferry.logs().findLast((line) => line['event'] === 'reloaded'),
    {
      read: ['admin.token', 'admin.tls', 'ingress.http.tokens', 'ingress.tls'],
    },
  );
  t.match(await post('new-token', 'posted-again'), { status: 204, name: 'second' });
  t.match(await post('old-token', 'posted-again'), { status: 204, name: 'second' });
  t.match(await ask(`${admin}/healthz`, { ca: authority.cert }), { status: 200, name: 'second' });
  device.write(entry('after'));
  await queued(ferry, 'after');
  const log = await readFile(ferry.stderrPath, 'utf8');
  t.notMatch(log, /(old|new|admin)-token|PRIVATE KEY|not a key/);
});

t.test('a certificate that cannot be read is told at the start', async (t) => {
  const sections = secured(['old-token']);
  const broken = { ...sections, admin: { ...sections.admin, tls: { ...certificate, keyFile: file('none.pem') } } };
  await t.rejects(startIngress('broken', broken));
  const log = await readFile(file('broken.stderr.log'), 'utf8');
  t.match(log, /"event":"listen\.failed","text":"admin\.tls\.keyFile: cannot read .*none\.pem \(ENOENT\)"/);
});
