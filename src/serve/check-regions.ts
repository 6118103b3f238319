import { secretsManagerClient, sqsClient } from '../aws/clients.ts';
import type { Config } from '../config/config.ts';
import { ConfigError, type Finding } from '../config/errors.ts';
import type { Role } from '../config/roles.ts';

/**
 * Refuses, as a ConfigError, a queue or destination whose region nobody names, and two destinations that are one: their
 * messages would be of different groups, and one secret would be written from two sides at once.
 */
export async function checkRegions(
  { destinations }: Config,
  { roles, endpointChosen }: { roles: ReadonlySet<Role>; endpointChosen: boolean },
): Promise<void> {
  const sqsRegion = await resolvedRegion(sqsClient(endpointChosen));
  const findings: Finding[] = sqsRegion === undefined ? [{ path: ['queue', 'url'], text: NO_SQS_REGION }] : [];
  if (roles.has('worker')) findings.push(...(await checkDestinations(destinations)));
  if (findings.length > 0) throw new ConfigError(findings);
}

/** The same of the destinations alone, as findings. */
export async function checkDestinations(destinations: Config['destinations']): Promise<Finding[]> {
  const names = new Map<string, string>();
  const findings: Finding[] = [];
  for (const [name, settings] of Object.entries(destinations)) {
    const region = await resolvedRegion(secretsManagerClient(settings, 1));
    const place = JSON.stringify([region, settings.endpoint ?? '']);
    const twin = names.get(place);
    names.set(place, name);
    if (region === undefined) findings.push({ path: ['destinations', name, 'region'], text: NO_REGION });
    else if (twin !== undefined) findings.push({ path: ['destinations', name], text: oneOf(twin, region) });
  }
  return findings;
}

const NO_SQS_REGION = 'needs a region for SQS: set AWS_REGION, or name one in a profile';
const NO_REGION = 'is missing, and neither AWS_REGION nor a profile names one';
const oneOf = (twin: string, region: string) =>
  `is the same account and region (${region}) as destinations.${twin}: keep one of them`;

interface Client {
  readonly config: { readonly region: () => Promise<string> };
  destroy(): void;
}

async function resolvedRegion(client: Client): Promise<string | undefined> {
  try {
    return await client.config.region();
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}
