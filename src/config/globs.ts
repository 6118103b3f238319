/** Which paths below a mount are meant. */
export interface Globs {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** The segments that every path of a glob begins with; `whole` when they are all that there is. */
interface Beginning {
  readonly segments: readonly string[];
  readonly whole: boolean;
}

// What may mean more than itself to picomatch. A little too much is no harm: such a segment then proves nothing.
const MAGIC = /[*?[\]{}()!|\\]/;

function beginningOf(glob: string): Beginning {
  const segments = glob.split('/');
  const magic = segments.findIndex((segment) => MAGIC.test(segment) || segment === '.' || segment === '');
  return magic < 0 ? { segments, whole: true } : { segments: segments.slice(0, magic), whole: false };
}

/** Whether the glob means one path, the one that it spells. */
export const isLiteral = (glob: string): boolean => beginningOf(glob).whole;

function areApart(a: Beginning, b: Beginning): boolean {
  if (a.whole && b.whole && a.segments.length !== b.segments.length) return true;
  const shared = Math.min(a.segments.length, b.segments.length);
  return a.segments.slice(0, shared).some((segment, i) => segment !== b.segments[i]);
}

/** Every path of the glob lies below a folder that `exclude` leaves out whole, as `folder/**`. */
function isLeftOut(glob: string, exclude: readonly string[]): boolean {
  const { segments } = beginningOf(glob);
  return exclude.some((left) => {
    const folder = beginningOf(left).segments;
    const whole = left === [...folder, '**'].join('/');
    return whole && folder.length <= segments.length && folder.every((segment, i) => segment === segments[i]);
  });
}

/**
 * Whether no path can be meant by both, as far as the literal beginnings of the globs prove it: true is certain,
 * false means perhaps not.
 */
export function areDisjoint(a: Globs, b: Globs): boolean {
  return a.include.every((one) =>
    b.include.every(
      (other) =>
        areApart(beginningOf(one), beginningOf(other)) || isLeftOut(one, b.exclude) || isLeftOut(other, a.exclude),
    ),
  );
}
