import { devNull } from 'node:os';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { baseEnv, type Child, type Exit, type Folder, folderFor, startChild } from './child.ts';
import { ensureServers } from './install.ts';
import { onFreePort } from './ports.ts';

export interface RotoOptions {
  /** Keeps state here, over restarts and SIGKILL; in memory alone unless told. */
  readonly dataDir?: string;
  readonly port?: number;
  /** Where logs go; a temporary folder unless told. */
  readonly dir?: string;
}

/** What the AWS SDK, in this program or in a child, needs to talk to the emulator and to nothing else. */
export type AwsEnv = Readonly<Record<(typeof AWS_VARIABLES)[number], string>>;

const AWS_VARIABLES = [
  'AWS_ENDPOINT_URL',
  'AWS_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_EC2_METADATA_DISABLED',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
] as const;

/** The options of an SDK client that talks to the emulator. */
export interface AwsClientOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface Queues {
  readonly url: string;
  readonly deadLetterUrl: string;
}

export interface Roto {
  readonly endpoint: string;
  readonly env: AwsEnv;
  readonly client: AwsClientOptions;
  /** The emulator's own log, for leak searches. */
  readonly logPaths: readonly string[];
  /** The FIFO queues `<name>.fifo` and `<name>-dlq.fifo` with the attributes that the worker wants. */
  createQueues(queues: { readonly name: string }): Promise<Queues>;
  stop(): Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  /** SIGKILL, and done once it is gone: its own way down waits for the last long poll. */
  end(): Promise<Exit>;
  /** Ends it, if it still runs, and starts it again at the same port; its state stays where `dataDir` keeps it. */
  restart(): Promise<void>;
}

/** Starts the emulator of SQS and Secrets Manager. */
export async function startRoto(options: RotoOptions = {}): Promise<Roto> {
  const [{ roto }, folder] = await Promise.all([ensureServers(), folderFor('roto', options.dir)]);
  const begin = async (port: number) => ({ port, child: await startOn(port, roto, folder, options.dataDir) });
  const started = options.port === undefined ? await onFreePort(begin) : await begin(options.port);
  let { child } = started;
  const client = clientOptions(`http://127.0.0.1:${started.port}`);
  return {
    endpoint: client.endpoint,
    client,
    env: awsEnv(client),
    logPaths: [child.stdoutPath, child.stderrPath],
    createQueues: ({ name }) => createQueues(client, name),
    stop: () => child.stop(),
    kill: (signal) => child.kill(signal),
    end: () => {
      child.kill('SIGKILL');
      return child.stop();
    },
    restart: async () => {
      await child.stop();
      ({ child } = await begin(started.port));
    },
  };
}

async function startOn(port: number, roto: string, folder: Folder, dataDir: string | undefined): Promise<Child> {
  const state = dataDir === undefined ? ['--ephemeral'] : ['--data-dir', dataDir];
  return startChild({
    name: 'roto',
    command: roto,
    args: ['--host', '127.0.0.1', '--port', String(port), ...state],
    env: { ...baseEnv(), NO_COLOR: '1' },
    folder,
    // Its own word that it listens, first: an answer alone could be another program's, which took the port.
    ready: async ({ stderr }) => stderr.lines().some((line) => line.includes('listening on')) && (await answers(port)),
  });
}

/** It answers 400 to a request that names no AWS service, which is an answer. */
const answers = async (port: number): Promise<boolean> => {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2_000) });
  return (await answer.text()) !== '';
};

export const clientOptions = (endpoint: string): AwsClientOptions => ({
  endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

const awsEnv = ({ endpoint, region, credentials }: AwsClientOptions): AwsEnv => ({
  AWS_ENDPOINT_URL: endpoint,
  AWS_REGION: region,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: devNull,
  AWS_SHARED_CREDENTIALS_FILE: devNull,
});

const DAYS_14 = String(14 * 24 * 3600);

const FIFO = {
  FifoQueue: 'true',
  MessageRetentionPeriod: DAYS_14,
  VisibilityTimeout: '30',
  DeduplicationScope: 'messageGroup',
  FifoThroughputLimit: 'perMessageGroupId',
} as const;

export async function createQueues(client: AwsClientOptions, name: string): Promise<Queues> {
  const sqs = new SQSClient(client);
  try {
    const deadLetterUrl = await createQueue(sqs, `${name}-dlq.fifo`, {});
    const attributes = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] }),
    );
    const deadLetterTargetArn = attributes.Attributes?.['QueueArn'];
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 100 });
    return { url: await createQueue(sqs, `${name}.fifo`, { RedrivePolicy }), deadLetterUrl };
  } finally {
    sqs.destroy();
  }
}

async function createQueue(sqs: SQSClient, QueueName: string, more: Record<string, string>): Promise<string> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { ...FIFO, ...more } }));
  if (QueueUrl === undefined) throw new Error(`The emulator gave no URL for the queue ${QueueName}.`);
  return QueueUrl;
}
