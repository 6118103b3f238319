/** Vault's words for requests that it turned down before anything was written. */
const REFUSALS = ['permission denied', 'invalid request'];
/** KV v2: "check-and-set parameter did not match the current version", "… required for this call". */
const CHECK_AND_SET = 'check-and-set parameter ';

/**
 * Whether the error proves that nothing happened. It may be several errors in one text (Go's multierror); any of
 * another kind may have come after the commit, so then, and whenever the text is not understood, it proves nothing.
 */
export const isRefused = (error: string): boolean => errorsOf(error).every(isRefusal);

const isRefusal = (error: string): boolean => REFUSALS.includes(error) || error.startsWith(CHECK_AND_SET);

/** The errors of `N errors occurred:` and its bullets; any other text is one error. */
function errorsOf(text: string): string[] {
  const [header = '', ...rest] = text.split('\n').filter((line) => line !== '');
  const count = /^(\d+) errors? occurred:$/.exec(header)?.[1];
  const bullets = rest.map((line) => /^\t?\* (.*)$/.exec(line)?.[1]);
  const errors = bullets.filter((bullet) => bullet !== undefined);
  const understood = errors.length > 0 && errors.length === rest.length && errors.length === Number(count);
  return understood ? errors : [text];
}
