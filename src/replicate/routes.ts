import { hash } from 'node:crypto';
import { pathTest } from './glob.ts';
import { secretName } from './name.ts';
import { isOwnSecret, ownSecret } from './own-secret.ts';
import { type MountRef, mountKey, type SecretRef } from './ref.ts';

/** Which refs go to which destinations, under which name. */
export interface Route extends MountRef {
  readonly name: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly to: readonly string[];
  /** Name template of `{namespace} {mount} {path}`. */
  readonly as: string;
}

/** What of a destination's configuration tells which account and region it is, as written. */
export interface DestinationAddress {
  readonly region?: string;
  readonly endpoint?: string;
}

/** One copy that a ref asks for. */
export interface Target {
  readonly route: string;
  readonly destination: string;
  readonly secretName: string;
  /** MessageGroupId: the thing written is the unit of order. */
  readonly group: string;
  /** The name is that of the secret with our own Vault credentials: whoever would write it calls checkNotOwn first. */
  readonly ownCredentials?: true;
}

export interface Routes {
  readonly mounts: readonly MountRef[];
  /** Every copy of the ref; where two routes lead to one name, the first one wins. */
  targets(ref: SecretRef): Target[];
}

/**
 * SHA-256 hex of [account, region, endpoint, name] from the configuration as written, so that every process gets the
 * same group and asks AWS nothing. The account is that of the destination's role ARN, "" without a role.
 */
export const messageGroup = ({ region = '', endpoint = '' }: DestinationAddress, name: string): string =>
  hash('sha256', JSON.stringify(['', region, endpoint, name]));

/** @param connectionSecret name or ARN of the secret that holds our own Vault credentials */
export function createRoutes(
  routes: readonly Route[],
  destinations: Readonly<Record<string, DestinationAddress>>,
  connectionSecret?: string,
): Routes {
  const own = connectionSecret === undefined ? undefined : ownSecret(connectionSecret);
  const compiled = routes.map((route) => ({
    ...route,
    included: pathTest(route.include, true),
    excluded: pathTest(route.exclude, false),
  }));
  const ofMount = (mount: MountRef) => compiled.filter((route) => mountKey(route) === mountKey(mount));
  const byMount = new Map(routes.map((route) => [mountKey(route), ofMount(route)]));
  const matches = (ref: SecretRef) =>
    byMount.get(mountKey(ref))?.filter(({ included, excluded }) => included(ref.path) && !excluded(ref.path)) ?? [];
  return {
    mounts: distinctMounts(routes),
    targets(ref) {
      const targets = new Map<string, Target>();
      for (const route of matches(ref)) {
        const name = secretName(route.as, ref);
        for (const destination of route.to) {
          const address = destinations[destination] ?? {};
          const group = messageGroup(address, name);
          const mark = own && isOwnSecret(own, name, address) ? ({ ownCredentials: true } as const) : {};
          if (!targets.has(group)) {
            targets.set(group, { route: route.name, destination, secretName: name, group, ...mark });
          }
        }
      }
      return [...targets.values()];
    },
  };
}

function distinctMounts(routes: readonly Route[]): MountRef[] {
  const mounts = new Map(routes.map(({ namespace, mount }) => [mountKey({ namespace, mount }), { namespace, mount }]));
  return [...mounts.values()];
}
