import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { baseEnv, folderFor, startChild } from '../servers/child.ts';
import { ensureServers } from '../servers/install.ts';
import { accepted, send } from '../servers/openbao-api.ts';
import { freePort, onFreePort } from '../servers/ports.ts';
import { until } from '../servers/until.ts';
import { configFile } from './files.ts';
import { freshOpenBao, listen, readText } from './fresh-openbao.ts';

const AUTHORIZATION = 'Bearer made-up-token-of-the-test';

/** Takes what an http audit device posts. */
async function httpReceiver(t: Test) {
  const entries: { readonly url: string; readonly authorization: string; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    entries.push({ url: request.url ?? '', authorization: request.headers.authorization ?? '', body });
    response.writeHead(204).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The kernel gave no TCP port.');
  return { address: `http://127.0.0.1:${address.port}`, entries };
}

/** The stanzas of audit/openbao.hcl, with the http one in force too, and this machine's addresses. */
function stanzas(folder: string, socket: string, http: string): string {
  const text = configFile('audit/openbao.hcl');
  const commented = text.slice(text.indexOf('# audit "http"'));
  const inForce = commented.replaceAll(/^# /gm, '').replace('audit "http" "vaultferry"', 'audit "http" "http"');
  return `${text.replace(commented, inForce)}`
    .replace('/var/log/openbao/', `${folder}/`)
    .replace('/etc/openbao/audit-authorization', join(folder, 'authorization'))
    .replace('"127.0.0.1:9090"', JSON.stringify(socket))
    .replace('https://vaultferry.example:8080', http);
}

t.test("the stanzas for OpenBao's configuration bring each entry to all three devices", async (t) => {
  const [{ bao }, folder, socket, http] = await Promise.all([
    ensureServers(),
    folderFor('stanzas'),
    listen(t),
    httpReceiver(t),
  ]);
  mkdirSync(join(folder.path, 'file'));
  writeFileSync(join(folder.path, 'authorization'), AUTHORIZATION);
  const { child, port } = await onFreePort(async (port) => {
    const server = `storage "inmem" {}\nlistener "tcp" {\n  address = "127.0.0.1:${port}"\n  cluster_address = "127.0.0.1:${await freePort()}"\n  tls_disable = true\n}\napi_addr = "http://127.0.0.1:${port}"\n`;
    const config = join(folder.path, 'bao.hcl');
    writeFileSync(config, server + stanzas(folder.path, socket.address, http.address));
    const child = await startChild({
      name: 'openbao',
      command: bao,
      args: ['server', `-config=${config}`],
      env: baseEnv(),
      folder,
      ready: ({ stdout }) => stdout.lines().some((line) => line.includes('OpenBao server started!')),
    });
    return { child, port };
  });
  t.teardown(() => child.stop());
  const address = `http://127.0.0.1:${port}/v1`;
  const init = await send(`${address}/sys/init`, 'PUT', { secret_shares: 1, secret_threshold: 1 });
  const { keys, root_token: token } = init.body as { keys: readonly string[]; root_token: string };
  accepted(await send(`${address}/sys/unseal`, 'PUT', { key: keys[0] }), 'PUT', 'unseal');
  await until(async () => (await send(`${address}/sys/health`, 'GET')).status === 200, {
    what: 'OpenBao to be active',
  });
  const listed = await send(`${address}/sys/audit`, 'GET', undefined, { 'x-vault-token': token });
  t.match(listed.body, { data: { 'file/': {}, 'vaultferry/': {}, 'http/': {} } });
  t.notOk(listed.text.includes(AUTHORIZATION), 'who lists the devices does not see the bearer token');

  const line = '"path":"sys/audit"';
  await until(() => socket.text().includes(line), { what: 'the socket device' });
  t.ok(readText(join(folder.path, 'audit.log')).includes(line));
  const posted = http.entries.find(({ body }) => body.includes(line));
  t.match(posted, { url: '/v1/audit?ack=received', authorization: AUTHORIZATION });
});

t.test("the demo's own server configuration starts", async (t) => {
  const bao = await freshOpenBao(t);
  const { body } = await send(`${bao.address}/v1/sys/seal-status`, 'GET');
  t.match(body, { initialized: false, sealed: true, storage_type: 'raft' });
});

t.test("both servers' configurations and both ways to a device agree", (t) => {
  const storage = /storage "raft" \{[^}]*\}/;
  const [vault, openbao] = [configFile('server/vault.hcl'), configFile('server/openbao.hcl')];
  t.equal(vault.match(storage)?.[0].replace('/vault/', '/openbao/'), openbao.match(storage)?.[0]);
  const { options } = JSON.parse(configFile('audit/socket.json'));
  const stanza = configFile('audit/openbao.hcl');
  for (const text of [stanza, openbao]) t.ok(text.includes(`write_timeout = "${options.write_timeout}"`));
  t.ok(stanza.includes(`socket_type   = "${options.socket_type}"`));
  t.ok(stanza.includes(`address       = "${options.address}"`));
  t.end();
});
