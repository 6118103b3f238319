import { randomBytes } from 'node:crypto';
import { createRoutes, type Route } from '../replicate/routes.ts';

/** 128 bits: no secret has such a name. */
export const freeName = (): string => `vaultferry-doctor-${randomBytes(16).toString('hex')}`;

/**
 * A path that the route means and that no secret has, because `name` stands in it where the route's globs leave the
 * choice. Undefined where they leave none.
 */
export function freePath(route: Route, name: string): string | undefined {
  const routes = createRoutes([route], {});
  return route.include
    .map((glob) => glob.replace(/\*+/g, name))
    .find((path) => path.includes(name) && routes.targets({ ...route, path }).length > 0);
}
