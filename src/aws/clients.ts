import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Time limits of one attempt, in ms; a call's own limit stands above them. */
const ATTEMPT = { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true };

/** Region, credentials and endpoint come the SDK's usual way wherever the destination does not name them. */
export function secretsManagerClient(
  { region, endpoint }: { region?: string; endpoint?: string },
  maxAttempts: number,
): SecretsManagerClient {
  return new SecretsManagerClient({
    maxAttempts,
    requestHandler: ATTEMPT,
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
  });
}

/**
 * The queue's URL names the host to talk to, unless the operator chose an endpoint (`AWS_ENDPOINT_URL`, `…_SQS`): an
 * emulator or a proxy may hand out URLs whose host nobody can resolve.
 *
 * Call it without options of a call: then the SDK resolves a command's middleware once, which is a quarter of what a
 * batch costs. Therefore the time limit is the handler's.
 * @param limit ms
 */
export function sqsClient(endpointChosen: boolean, limit: number = SQS_LIMIT): SQSClient {
  const client = new SQSClient({
    maxAttempts: 3,
    requestHandler: new LimitedHandler(limit),
    cacheMiddleware: true,
    useQueueUrlAsEndpoint: !endpointChosen,
    logger: SILENT,
    md5: false, // a tenth of what a batch costs, refused by FIPS modes, and TLS keeps bodies whole without it
  });
  client.middlewareStack.remove('loggerMiddleware'); // it copies every request for the logger that is silent
  return client;
}

/** A long poll waits up to 5 s on purpose. */
const SQS_LIMIT = 8_000;

/** Ends an attempt that is not over after `limit` ms, its answer included, unless its call has a signal of its own; the SDK does not try it again. */
class LimitedHandler extends NodeHttpHandler {
  readonly #limit: number;

  constructor(limit: number) {
    super({ connectionTimeout: ATTEMPT.connectionTimeout });
    this.#limit = limit;
  }

  override handle(...[request, options]: Parameters<NodeHttpHandler['handle']>): ReturnType<NodeHttpHandler['handle']> {
    const abortSignal = options?.abortSignal ?? AbortSignal.timeout(this.#limit);
    return super.handle(request, { ...options, abortSignal });
  }
}

/** The SDK falls back to the console; what it would say there is said by our own errors. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Whether the environment names an endpoint for SQS. */
export const endpointChosen = (env: NodeJS.ProcessEnv): boolean =>
  Boolean(env['AWS_ENDPOINT_URL_SQS'] || env['AWS_ENDPOINT_URL']);
