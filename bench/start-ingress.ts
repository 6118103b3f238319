import { startVaultFerry, type VaultFerry } from '../test/servers/vaultferry.ts';

const queue = (port: number, name: string) => `http://127.0.0.1:${port}/123456789012/${name}.fifo`;

/** What a program needs to take the stand-in for SQS. */
const awsEnv = (port: number): NodeJS.ProcessEnv => ({
  AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'made-up',
  AWS_SECRET_ACCESS_KEY: 'made-up',
});

/** The real program in the role of an ingress, which knows its mounts' KV version and so needs no Vault. */
export const startIngress = (sqsPort: number, mounts: readonly string[], socket: string): Promise<VaultFerry> =>
  startVaultFerry({
    config: JSON.stringify(
      {
        ingress: { socket },
        admin: { listen: 'http://127.0.0.1:0' },
        queue: { url: queue(sqsPort, 'vaultferry'), deadLetterUrl: queue(sqsPort, 'vaultferry-dlq') },
        routes: mounts.map((mount) => ({ mount, kvVersion: 2 })),
      },
      null,
      1,
    ),
    env: awsEnv(sqsPort),
    args: ['--role', 'ingress'],
    sourceMaps: false,
  });
