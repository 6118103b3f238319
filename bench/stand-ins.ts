import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer, secretsManagerOf } from './secrets-manager.ts';
import { MOUNT, pathsOf } from './seed.ts';

const CREATED = '2026-11-24T21:40:57.235646616Z';
const KV = { accessor: 'kv_12345678', kv: 2 } as const;

/** Servers that answer what OpenBao and Secrets Manager would of so many secrets in sync, without keeping any. */
export async function startStandIns(count: number, folders: number) {
  const paths = pathsOf(count, folders);
  const [vault, aws] = await Promise.all([
    listen(vaultOf(paths)),
    listen(secretsManagerOf(paths.map((path) => ({ path, mount: KV, version: 1, createdTime: CREATED })))),
  ]);
  return { vault: vault.endpoint, aws: aws.endpoint, close: () => Promise.all([vault.close(), aws.close()]) };
}

async function listen(listener: http.RequestListener) {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const metadata = {
  ...{
    cas_required: false,
    created_time: CREATED,
    current_version: 1,
    custom_metadata: null,
    delete_version_after: '0s',
  },
  ...{ max_versions: 0, oldest_version: 0, updated_time: CREATED },
  versions: { '1': { created_time: CREATED, deletion_time: '', destroyed: false } },
};

/** The mount's entry, and its detailed listing in pages; the scan of so many would be cut off, and is refused. */
function vaultOf(paths: readonly string[]): http.RequestListener {
  const keys = new Map<string, string[]>([['', []]]);
  for (const path of paths) {
    const [folder = '', key = ''] = path.split('/');
    const below = keys.get(`${folder}/`) ?? [];
    if (below.length === 0) keys.get('')?.push(`${folder}/`);
    keys.set(`${folder}/`, below);
    below.push(key);
  }
  for (const below of keys.values()) below.sort();
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://vault');
    if (pathname.startsWith('/v1/sys/internal/ui/mounts/')) {
      const entry = { path: `${MOUNT}/`, type: 'kv', accessor: KV.accessor, options: { version: '2' } };
      return answer(response, 200, { data: entry });
    }
    const folder = pathname.split('/detailed-metadata/')[1];
    if (folder === undefined) return answer(response, 200, { data: { ttl: 0, renewable: false, expire_time: null } });
    if (searchParams.has('scan')) return answer(response, 400, { errors: ['too many'] });
    const after = searchParams.get('after') ?? '';
    const all = keys.get(folder) ?? [];
    const from = after === '' ? 0 : all.indexOf(after) + 1;
    const page = all.slice(from, from + Number(searchParams.get('limit')));
    if (page.length === 0) return answer(response, 404, { errors: [] });
    const key_info = Object.fromEntries(page.map((key) => [key, metadata]));
    return answer(response, 200, { data: { keys: page, key_info } });
  };
}
