import { escapeName } from '../replicate/name.ts';
import { formatMount } from '../replicate/ref.ts';
import { isLoopback, parseHttpAddress, parseSocketAddress } from './address.ts';
import type { Finding } from './errors.ts';
import { trimSlashes } from './formats.ts';
import { areDisjoint } from './globs.ts';
import { childOf } from './key-path.ts';
import { nearest } from './nearest.ts';
import type { ConfigFile } from './schema.ts';

/** What several keys must be together. `given` is the tree before defaults were filled in. */
type Check = (file: ConfigFile, given: unknown) => Finding[];
type Section = keyof ConfigFile;

const found = (broken: boolean, path: Finding['path'], text: string): Finding[] => (broken ? [{ path, text }] : []);

const auth: Check = ({ vault: { auth } }) => {
  if (auth === undefined) return [];
  const wrong = (auth.token === undefined) === (auth.tokenFile === undefined);
  return found(wrong, ['vault', 'auth'], 'method token needs either token or tokenFile, and not both');
};

const doors: Check = ({ ingress }) => {
  const none = ingress !== false && ingress.socket === false && ingress.http === undefined;
  return found(none, ['ingress'], 'needs socket or http; write ingress: false if nothing is to be received');
};

// The audit device has neither TLS nor authentication, so the addresses that may connect are all the protection there is.
const openSocket: Check = ({ ingress }, given) => {
  if (ingress === false || ingress.socket === false) return [];
  const address = parseSocketAddress(ingress.socket);
  if (address?.kind !== 'tcp' || isLoopback(address.host)) return [];
  const meant = ingress.insecure || childOf(childOf(given, 'ingress'), 'allow') !== undefined;
  const text =
    'is off loopback, where anyone who reaches it can send lines, unencrypted and unauthenticated; ' +
    'list in ingress.allow who may, or set ingress.insecure: true';
  return found(!meant, ['ingress', 'socket'], text);
};

const openAdmin: Check = ({ admin }) => {
  const address = parseHttpAddress(admin.listen);
  const open = address !== undefined && !isLoopback(address.host) && admin.token === undefined;
  return found(open, ['admin', 'listen'], 'is off loopback, so that anyone could read it; set admin.token');
};

const queues: Check = ({ queue }) =>
  found(queue.url === queue.deadLetterUrl, ['queue', 'deadLetterUrl'], 'must be another queue than queue.url');

type Route = ConfigFile['routes'][number];

const mountOf = (route: Route) => ({ namespace: trimSlashes(route.namespace), mount: trimSlashes(route.mount) });

/** The name a route goes by: its own, else its mount as people write it. */
export const routeName = (route: Route): string => route.name ?? formatMount(mountOf(route));

const routeNames: Check = ({ routes }) => {
  const names = routes.map(routeName);
  return names.flatMap((name, i) => {
    const text = `has the same name as routes[${names.indexOf(name)}]; give one of them a name of its own`;
    return found(names.indexOf(name) < i, ['routes', i, 'name'], text);
  });
};

const targets: Check = ({ routes, destinations }) => {
  const known = Object.keys(destinations);
  const text = (name: string): string => {
    const meant = nearest(name, known);
    return `names no destination; ${meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`}`;
  };
  return routes.flatMap(({ to }, i) =>
    to.flatMap((name, j) => found(!known.includes(name), ['routes', i, 'to', j], text(name))),
  );
};

/** The template with all but the path put in: equal ones make equal names of equal paths. */
const nameOf = (route: Route): string => {
  const { namespace, mount } = mountOf(route);
  return route.as.replaceAll('{mount}', escapeName(mount)).replaceAll('{namespace}', escapeName(namespace));
};

const shareDestination = (a: Route, b: Route): boolean => a.to.some((to) => b.to.includes(to));

// What two routes must differ in, lest both carry the same secrets to the same names.
const reach = (route: Route): string =>
  JSON.stringify([mountOf(route), nameOf(route), route.include.toSorted(), route.exclude.toSorted()]);

const overlaps: Check = ({ routes }) =>
  routes.flatMap((route, i) => {
    const twin = routes.findIndex((other) => reach(other) === reach(route) && shareDestination(other, route));
    return found(twin < i, ['routes', i], `carries the same secrets to the same destination as routes[${twin}]`);
  });

// Of two secrets that meet in one name only the first would be carried, the other refused again and again.
const meetings: Check = ({ routes }) =>
  routes.flatMap((route, i) => {
    const twin = routes
      .slice(0, i)
      .findIndex((other) => areOfTwoMounts(other, route) && mayMeet(other, route) && shareDestination(other, route));
    const text =
      `makes the same names as routes[${twin}], of another mount, at the same destination; ` +
      'tell them apart by {namespace} or {mount}, or by include and exclude';
    return found(twin >= 0, ['routes', i, 'as'], text);
  });

const areOfTwoMounts = (a: Route, b: Route): boolean => JSON.stringify(mountOf(a)) !== JSON.stringify(mountOf(b));
const mayMeet = (a: Route, b: Route): boolean => nameOf(a) === nameOf(b) && !areDisjoint(a, b);

const CHECKS: readonly (readonly [readonly Section[], Check])[] = [
  [['vault'], auth],
  [['ingress'], doors],
  [['ingress'], openSocket],
  [['admin'], openAdmin],
  [['queue'], queues],
  [['routes'], routeNames],
  [['routes', 'destinations'], targets],
  [['routes'], overlaps],
  [['routes'], meetings],
];

/**
 * What is wrong with sections that are right key by key. `broken` names those that are not; what needs one of them
 * is left out, so that the rest of the file is still checked in the same run.
 */
export function checkSections(file: ConfigFile, given: unknown, broken: ReadonlySet<unknown>): Finding[] {
  const whole = CHECKS.filter(([sections]) => !sections.some((section) => broken.has(section)));
  return whole.flatMap(([, check]) => check(file, given));
}
