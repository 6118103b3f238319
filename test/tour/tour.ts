import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientOptions } from '../servers/roto.ts';
import { type Compose, composeWith, containers } from './compose.ts';

export const MOUNT = 'hybrid-aws-secrets';
/** Its secret must stay where it is. */
export const CLOSED_MOUNT = 'super-secret-engine';

/** As docker-compose.yml publishes them. */
export const PORTS = { server: 8200, aws: 4566, ingress: 8081, 'worker-1': 8082, 'worker-2': 8083 } as const;

export interface Copy {
  readonly versionId: string;
  readonly value: unknown;
}

/** The running containers, as a person at this machine reaches them. */
export interface Tour {
  readonly server: 'vault' | 'openbao';
  readonly compose: Compose;
  /** `vault ARGS` in the server's container, as root. */
  readonly vault: (args: readonly string[]) => Promise<string>;
  /** `aws ARGS` in the emulator's container. */
  readonly aws: (args: readonly string[]) => Promise<string>;
  /** `vaultferry ARGS` in a worker's container. */
  readonly vaultferry: (args: readonly string[], code?: number) => Promise<string>;
  /** The copy's AWSCURRENT; undefined where there is none. */
  readonly copy: (name: string) => Promise<Copy | undefined>;
  /** Tells this run's secrets from those of the runs before. */
  readonly run: string;
}

/** Finds out which server runs. Throws where neither does. */
export async function openTour(run: string): Promise<Tour> {
  const services = (await containers(composeWith('*'))).filter(({ State }) => State === 'running');
  const server = (['vault', 'openbao'] as const).find((name) => services.some(({ Service }) => Service === name));
  if (server === undefined) {
    throw new Error('the containers do not run: start them with docker compose up --build --detach --wait');
  }
  const compose = composeWith(server);
  const secrets = new SecretsManagerClient(clientOptions(`http://127.0.0.1:${PORTS.aws}`));
  return {
    server,
    compose,
    vault: (args) => compose(['exec', '-T', '-u', 'root', server, 'vault', ...args]),
    aws: (args) => compose(['exec', '-T', 'aws', 'aws', ...args]),
    vaultferry: (args, code) => compose(['exec', '-T', 'worker-1', 'vaultferry', ...args], code),
    copy: (name) => copyOf(secrets, name),
    run,
  };
}

async function copyOf(secrets: SecretsManagerClient, name: string): Promise<Copy | undefined> {
  try {
    const { VersionId = '', SecretString = 'null' } = await secrets.send(new GetSecretValueCommand({ SecretId: name }));
    return { versionId: VersionId, value: JSON.parse(SecretString) };
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
