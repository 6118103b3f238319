import type { CommandLine } from '../commands/options.ts';
import { iamPolicyCommand, policyCommand, policyMounts, policyOf } from '../commands/policy.ts';
import { createRoutes } from '../replicate/routes.ts';
import { write, writeError } from './console.ts';
import { load } from './load.ts';

export async function run({ operands, file, json, roles }: CommandLine): Promise<number> {
  const of = policyOf(operands, roles);
  const config = await load(file);
  if (of === 'iam') return iamPolicyCommand({ config, roles, json, write, writeError });
  const { routes, destinations } = config;
  const mounts = policyMounts(createRoutes(routes, destinations).mounts, routes);
  return policyCommand({ of, mounts, json, write });
}
