import { isCostly } from '../replicate/glob.ts';
import { escapeName, secretName } from '../replicate/name.ts';
import { isOwnSecret, ownSecret } from '../replicate/own-secret.ts';
import { formatMount } from '../replicate/ref.ts';
import { isLoopback, parseHttpAddress, parseSocketAddress } from './address.ts';
import { checkAuth } from './check-auth.ts';
import type { Finding } from './errors.ts';
import { trimSlashes } from './formats.ts';
import { areDisjoint, isLiteral } from './globs.ts';
import { nearest } from './nearest.ts';
import type { ConfigFile } from './schema.ts';

/** What several keys must be together. */
type Check = (file: ConfigFile) => Finding[];
type Section = keyof ConfigFile;

const found = (broken: boolean, path: Finding['path'], text: string): Finding[] => (broken ? [{ path, text }] : []);

const auth: Check = ({ vault: { auth } }) => {
  return auth === undefined ? [] : checkAuth(auth);
};

const doors: Check = ({ ingress }) => {
  const none = ingress !== false && ingress.socket === false && ingress.http === undefined;
  return found(none, ['ingress'], 'needs socket or http; write ingress: false if nothing is to be received');
};

// Plain TCP has neither encryption nor authentication, so the addresses that may connect are all the protection there is.
const openSocket: Check = ({ ingress }) => {
  if (ingress === false || ingress.socket === false) return [];
  const address = parseSocketAddress(ingress.socket);
  if (address?.kind !== 'tcp' || isLoopback(address.host)) return [];
  const meant = ingress.insecure || ingress.allow !== undefined;
  const text =
    'is off loopback, where anyone who reaches it can send lines, unencrypted and unauthenticated; ' +
    'list in ingress.allow who may, use tls://, or set ingress.insecure: true';
  return found(!meant, ['ingress', 'socket'], text);
};

// A certificate that nothing uses is the mistake of somebody who believes that all is encrypted.
const ingressCertificate: Check = ({ ingress }) => {
  if (ingress === false) return [];
  const { socket, http, tls } = ingress;
  return certificate('ingress', tls !== undefined, [
    ...(socket === false ? [] : [{ path: ['ingress', 'socket'], address: socket }]),
    ...(http === undefined ? [] : [{ path: ['ingress', 'http', 'listen'], address: http.listen }]),
  ]);
};

const adminCertificate: Check = ({ admin: { listen, tls } }) =>
  certificate('admin', tls !== undefined, [{ path: ['admin', 'listen'], address: listen }]);

function certificate(section: string, has: boolean, doors: readonly { path: string[]; address: string }[]): Finding[] {
  const secured = doors.filter(({ address }) => /^(tls|https):/.test(address));
  const lacking = `has TLS, which needs ${section}.tls with certFile and keyFile`;
  const idle = 'is used by nothing; write tls:// or https:// where it is meant to be';
  return [
    ...secured.flatMap(({ path }) => found(!has, path, lacking)),
    ...found(has && secured.length === 0, [section, 'tls'], idle),
  ];
}

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

// A mount has one version; where two routes name one each, the secrets of one of them would never be carried.
const kvVersions: Check = ({ routes }) =>
  routes.flatMap((route, i) => {
    const other = routes.findIndex((one) => !areOfTwoMounts(one, route) && one.kvVersion !== 'auto');
    const broken =
      other >= 0 && other < i && route.kvVersion !== 'auto' && route.kvVersion !== routes[other]?.kvVersion;
    return found(
      broken,
      ['routes', i, 'kvVersion'],
      `differs from that of routes[${other}], which is of the same mount`,
    );
  });

const areOfTwoMounts = (a: Route, b: Route): boolean => JSON.stringify(mountOf(a)) !== JSON.stringify(mountOf(b));
const mayMeet = (a: Route, b: Route): boolean => nameOf(a) === nameOf(b) && !areDisjoint(a, b);

const costlyGlobs: Check = ({ routes }) =>
  routes.flatMap((route, i) =>
    (['include', 'exclude'] as const).flatMap((key) =>
      route[key].flatMap((glob, j) => {
        const text =
          'could take long to match: it has more than two * beside brackets (in the whole of it, where it begins with !, or has quotes, an empty alternative or an empty segment), or repeats a group that may take one text in several ways; write it as several globs';
        return found(isCostly(glob), ['routes', i, key, j], text);
      }),
    ),
  );

// Only a path that is written out has a name that is certain here; of the others the worker sees it.
const ownCredentials: Check = ({ vault: { auth }, routes, destinations }) => {
  const secret = auth?.connectionSecret;
  if (secret === undefined) return [];
  const own = ownSecret(secret);
  const isOwn = (route: Route, path: string): boolean => {
    const name = secretName(route.as, { ...mountOf(route), path });
    return route.to.some((to) => isOwnSecret(own, name, destinations[to] ?? {}));
  };
  const text = "leads to the secret that holds VaultFerry's own Vault credentials (vault.auth.connectionSecret)";
  return routes.flatMap((route, i) =>
    route.include.flatMap((glob, j) => {
      const broken = isLiteral(glob) && !areDisjoint({ include: [glob], exclude: [] }, route) && isOwn(route, glob);
      return found(broken, ['routes', i, 'include', j], text);
    }),
  );
};

const CHECKS: readonly (readonly [readonly Section[], Check])[] = [
  [['vault'], auth],
  [['ingress'], doors],
  [['ingress'], openSocket],
  [['ingress'], ingressCertificate],
  [['admin'], adminCertificate],
  [['admin'], openAdmin],
  [['queue'], queues],
  [['routes'], routeNames],
  [['routes'], kvVersions],
  [['routes', 'destinations'], targets],
  [['routes'], overlaps],
  [['routes'], meetings],
  [['routes'], costlyGlobs],
  [['vault', 'routes', 'destinations'], ownCredentials],
];

/**
 * What is wrong with sections that are right key by key. `broken` names those that are not; what needs one of them
 * is left out, so that the rest of the file is still checked in the same run.
 */
export function checkSections(file: ConfigFile, broken: ReadonlySet<unknown>): Finding[] {
  const whole = CHECKS.filter(([sections]) => !sections.some((section) => broken.has(section)));
  return whole.flatMap(([, check]) => check(file));
}
