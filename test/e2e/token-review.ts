import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Signs JWTs as an issuer of service accounts does. */
export function createIssuer() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwt(claims: object): string {
      const now = Math.floor(Date.now() / 1000);
      const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part({ iat: now, nbf: now, exp: now + 600, ...claims })}`;
      return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
    },
  };
}

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** The claims of a JWT that Kubernetes projects into a pod. */
export const serviceAccountClaims = ({ namespace, name, uid }: ServiceAccount): object => ({
  iss: 'https://kubernetes.default.svc.cluster.local',
  aud: ['vault'],
  sub: `system:serviceaccount:${namespace}:${name}`,
  'kubernetes.io': { namespace, serviceaccount: { name, uid } },
});

/** The one endpoint of Kubernetes' API that Vault asks about a JWT; it knows the JWTs that `accounts` maps. */
export async function startTokenReview(accounts: ReadonlyMap<string, ServiceAccount>) {
  const reviewed: string[] = [];
  const server = createServer(async (request, response) => {
    const asked = JSON.parse(await text(request)) as { spec: { token: string } };
    reviewed.push(request.url ?? '');
    const account = accounts.get(asked.spec.token);
    const user = account && {
      username: `system:serviceaccount:${account.namespace}:${account.name}`,
      uid: account.uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`],
    };
    const status = user ? { authenticated: true, user, audiences: ['vault'] } : { authenticated: false };
    response.writeHead(201, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reviewed,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
