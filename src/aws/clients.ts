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
 * Calls need no limit of their own. Without options of a call the SDK resolves a command's middleware once, which is a
 * quarter of what a batch costs.
 * @param limit of a call, in ms
 */
export function sqsClient(endpointChosen: boolean, limit: number = CALL_LIMIT): SQSClient {
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

/** A call's limit from end to end, the SDK's retries included, in ms. */
const CALL_LIMIT = 8_000;
/** A long poll waits up to 5 s on purpose, and has no limit from end to end; an attempt of it may take so long, in ms. */
const POLL = 'AmazonSQS.ReceiveMessage';
const POLL_LIMIT = 10_000;

/** Ends calls that are not over in time. As an option of the call the limit would make the SDK resolve its middleware anew each time. */
class LimitedHandler extends NodeHttpHandler {
  readonly #limit: number;
  /** When calls must be over, by the id that all attempts of a call have; the oldest first. */
  readonly #ends = new Map<string, number>();

  constructor(limit: number) {
    super({ ...ATTEMPT, requestTimeout: POLL_LIMIT });
    this.#limit = limit;
  }

  override handle(...[request, options]: Parameters<NodeHttpHandler['handle']>): ReturnType<NodeHttpHandler['handle']> {
    const { 'x-amz-target': operation, 'amz-sdk-invocation-id': id } = request.headers;
    if (operation === POLL || options?.abortSignal !== undefined) return super.handle(request, options);
    const left = id === undefined ? this.#limit : Math.ceil(this.#end(id) - performance.now());
    const abortSignal = left > 0 ? AbortSignal.timeout(left) : AbortSignal.abort();
    return super.handle(request, { ...options, abortSignal });
  }

  #end(id: string): number {
    const now = performance.now();
    for (const [known, end] of this.#ends) {
      if (now < end + this.#limit) break;
      this.#ends.delete(known); // an attempt that was cut short may have been tried again, but by now it is over
    }
    const end = this.#ends.get(id) ?? now + this.#limit;
    this.#ends.set(id, end);
    return end;
  }
}

/** The SDK falls back to the console; what it would say there is said by our own errors. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Whether the environment names an endpoint for SQS. */
export const endpointChosen = (env: NodeJS.ProcessEnv): boolean =>
  Boolean(env['AWS_ENDPOINT_URL_SQS'] || env['AWS_ENDPOINT_URL']);
