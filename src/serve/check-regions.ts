import { secretsManagerClient } from '../aws/clients.ts';
import type { Config } from '../config/config.ts';
import { ConfigError, type Finding } from '../config/errors.ts';
import type { Role } from '../config/roles.ts';

/**
 * Refuses, as a ConfigError, a destination whose region nobody names, and two destinations that are one: their
 * messages would be of different groups, and one secret would be written from two sides at once.
 */
export async function checkRegions({ destinations }: Config, roles: ReadonlySet<Role>): Promise<void> {
  if (!roles.has('worker')) return;
  const names = new Map<string, string>();
  const findings: Finding[] = [];
  for (const [name, settings] of Object.entries(destinations)) {
    const region = await resolvedRegion(settings);
    const place = JSON.stringify([region, settings.endpoint ?? '']);
    const twin = names.get(place);
    names.set(place, name);
    if (region === undefined) findings.push({ path: ['destinations', name, 'region'], text: NO_REGION });
    else if (twin !== undefined) findings.push({ path: ['destinations', name], text: oneOf(twin, region) });
  }
  if (findings.length > 0) throw new ConfigError(findings);
}

const NO_REGION = 'is missing, and neither AWS_REGION nor a profile names one';
const oneOf = (twin: string, region: string) =>
  `is the same account and region (${region}) as destinations.${twin}: keep one of them`;

async function resolvedRegion(settings: { region?: string; endpoint?: string }): Promise<string | undefined> {
  const client = secretsManagerClient(settings, 1);
  try {
    return await client.config.region();
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}
