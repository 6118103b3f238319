import t from 'tap';
import { ReplicationError } from '../../src/errors.ts';
import { Sensitive } from '../../src/sensitive.ts';
import { createLoginReader, type Login } from '../../src/vault/login.ts';
import { keepRenewed } from '../../src/vault/renewal.ts';
import { loginOf } from './house.ts';

interface Step {
  readonly status?: number;
  readonly body?: object;
  readonly fail?: string;
}

const lookup = (ttl: number, renewable = true): Step => ({
  body: { data: { ttl, renewable, expire_time: '2027-01-01T00:00:00Z' } },
});
const renewed = (seconds: number, renewable = true): Step => ({
  body: { auth: { lease_duration: seconds, renewable, client_token: 's.canary' } },
});

/** Plays the steps as Vault's answers on a clock of its own until they are used up; gives the requests and their times. */
async function play(steps: readonly Step[], { tokens = ['s.canary'], until = Number.POSITIVE_INFINITY } = {}) {
  const abort = new AbortController();
  const asked: [number, string, string][] = [];
  const lines: unknown[] = [];
  const left = [...steps];
  let time = 0;
  const write = (...line: unknown[]): void => {
    lines.push(line);
  };
  await keepRenewed(
    {
      current: async () => new Sensitive((tokens.length > 1 && time >= 20_000 ? tokens[1] : tokens[0]) ?? ''),
      ask: async (method, path, token) => {
        const step = left.shift();
        asked.push([Math.round(time), `${method} ${path.split('/').pop()}`, token.reveal()]);
        if (left.length === 0 && until === Number.POSITIVE_INFINITY) abort.abort();
        if (step?.fail !== undefined) throw new Error(step.fail);
        return { status: step?.status ?? 200, text: new Sensitive(JSON.stringify(step?.body ?? {})) };
      },
      log: { debug: write, info: write, warn: write, error: write },
      now: () => time,
      random: () => 0.5,
      sleep: async (ms) => {
        time += ms;
        if (time >= until) abort.abort();
      },
    },
    abort.signal,
  );
  return { asked: asked.map(([at, what]) => [at, what]), tokens: asked.map(([, , token]) => token), lines };
}

t.test('a token is renewed at two thirds of its life, less some jitter', async (t) => {
  const { asked, lines } = await play([lookup(60), renewed(120), renewed(60)]);
  t.strictSame(asked, [
    [0, 'GET lookup-self'],
    [38_000, 'POST renew-self'],
    [114_000, 'POST renew-self'],
  ]);
  t.notMatch(JSON.stringify(lines), 'canary');
});

t.test('failures are tried again, later each time up to about half a minute, for ever', async (t) => {
  const failures: Step[] = Array.from({ length: 9 }, (_, index) =>
    index % 2 === 0 ? { status: 503 } : { fail: 'ECONNREFUSED' },
  );
  const { asked, lines } = await play([...failures, lookup(60), renewed(60)]);
  const times = asked.map(([at]) => Number(at));
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
  t.strictSame(gaps.slice(0, 9), [1000, 3000, 5000, 10_000, 20_000, 38_000, 38_000, 38_000, 38_000]);
  t.equal(gaps[9], 38_000, 'and the token that is found at last is renewed');
  t.match(lines[0], [{ reason: 'Vault answered 503' }]);
});

t.test('a failed renewal is repeated as a renewal', async (t) => {
  const { asked } = await play([lookup(60), { status: 500 }, renewed(60), renewed(60)]);
  t.strictSame(asked, [
    [0, 'GET lookup-self'],
    [38_000, 'POST renew-self'],
    [39_000, 'POST renew-self'],
    [77_000, 'POST renew-self'],
  ]);
});

t.test('a token that lasts for ever is looked up and left alone', async (t) => {
  const root: Step = { body: { data: { ttl: 0, renewable: false, expire_time: null } } };
  const { asked, lines } = await play([root], { until: 3_600_000 });
  t.strictSame(asked, [[0, 'GET lookup-self']]);
  t.strictSame(lines, []);
});

t.test('a token that cannot be renewed is said to end', async (t) => {
  const { asked, lines } = await play([lookup(60, false)], { until: 3_600_000 });
  t.strictSame(asked, [[0, 'GET lookup-self']]);
  t.match(lines, [[{ event: 'vault.token_not_renewable', ttlSeconds: 60 }]]);
});

t.test('a token that is not renewed any more is left alone', async (t) => {
  for (const end of [{ status: 400 }, renewed(30, false), renewed(0)]) {
    const { asked } = await play([lookup(60), end], { until: 3_600_000 });
    t.strictSame(asked.length, 2);
  }
});

t.test('a life at its end is renewed once a second, not without pause', async (t) => {
  const { asked } = await play([lookup(1), renewed(0.1), renewed(0.1)]);
  t.strictSame(
    asked.map(([at]) => at),
    [0, 1000, 2000],
  );
});

t.test('another token in the file is looked up within seconds', async (t) => {
  const { asked, tokens } = await play([lookup(3600), lookup(60), renewed(60)], { tokens: ['s.one', 's.two'] });
  t.strictSame(asked, [
    [0, 'GET lookup-self'],
    [20_000, 'GET lookup-self'],
    [58_000, 'POST renew-self'],
  ]);
  t.strictSame(tokens, ['s.one', 's.two', 's.two']);
});

t.test('an answer without the expected fields is a failure like others', async (t) => {
  const { asked } = await play([{ body: {} }, lookup(60), { body: {} }, renewed(60)]);
  t.strictSame(
    asked.map(([at]) => at),
    [0, 1000, 39_000, 40_000],
  );
});

/** Plays logins and renewals on a clock of its own until `until`; gives what was asked for, and when. */
async function playLogins(logins: readonly (Login | Error)[], steps: readonly Step[], until: number) {
  const abort = new AbortController();
  const asked: [number, string][] = [];
  const lines: Record<string, unknown>[] = [];
  const [givers, left] = [[...logins], [...steps]];
  let time = 0;
  const write = (line: Record<string, unknown>): void => {
    lines.push(line);
  };
  const log = { debug: write, info: write, warn: write, error: write };
  const timing = { now: () => time, random: () => 0.5 };
  const reader = createLoginReader(
    async () => {
      const next = givers.shift();
      asked.push([Math.round(time), 'login']);
      if (next === undefined || next instanceof Error) throw next ?? new Error('no login is left');
      return next;
    },
    log,
    timing,
  );
  await keepRenewed(
    {
      current: reader.current,
      logins: reader,
      log,
      ...timing,
      ask: async (_method, path, token) => {
        const step = left.shift();
        asked.push([Math.round(time), `${path.split('/').pop()} ${token.reveal()}`]);
        if (step?.fail !== undefined) throw new Error(step.fail);
        return { status: step?.status ?? 200, text: new Sensitive(JSON.stringify(step?.body ?? {})) };
      },
      sleep: async (ms) => {
        time += ms;
        if (time >= until) abort.abort();
      },
    },
    abort.signal,
  );
  return { asked, lines };
}

t.test(
  'a token of a login is renewed without a lookup, and replaced when its maximum life cuts a renewal short',
  async (t) => {
    const { asked } = await playLogins([loginOf('s.1', 60), loginOf('s.2', 60)], [renewed(60), renewed(20)], 95_000);
    t.strictSame(asked, [
      [0, 'login'],
      [38_000, 'renew-self s.1'],
      [76_000, 'renew-self s.1'],
      [88_667, 'login'],
    ]);
  },
);

t.test('a token of a login that is not renewable is replaced at two thirds of its life', async (t) => {
  const { asked, lines } = await playLogins(
    [loginOf('s.1', 60, false), loginOf('s.2', undefined, false)],
    [],
    3_600_000,
  );
  t.strictSame(asked, [
    [0, 'login'],
    [38_000, 'login'],
  ]);
  t.notMatch(lines, [{ event: 'vault.token_not_renewable' }], 'nothing is amiss');
});

t.test('a token of a login that Vault does not renew is replaced at once', async (t) => {
  for (const status of [400, 403]) {
    const { asked } = await playLogins([loginOf('s.1', 60), loginOf('s.2', undefined)], [{ status }], 60_000);
    t.strictSame(asked, [
      [0, 'login'],
      [38_000, 'renew-self s.1'],
      [38_000, 'login'],
    ]);
  }
});

t.test('a renewal that fails is tried again; the login follows when the token has ended', async (t) => {
  const failures: Step[] = Array.from({ length: 9 }, () => ({ status: 503 }));
  const { asked, lines } = await playLogins([loginOf('s.1', 60), loginOf('s.2', undefined)], failures, 90_000);
  t.match(asked.slice(0, 4), [[0], [38_000, 'renew-self s.1'], [39_000, 'renew-self s.1'], [42_000]]);
  t.match(asked.at(-1), [Number, 'login']);
  t.ok(Number(asked.at(-1)?.[0]) >= 60_000);
  t.match(lines[1], { event: 'vault.token_renewal_failed', reason: 'Vault answered 503' });
});

t.test('a login that fails is told once a try, and tried again', async (t) => {
  const refused = new ReplicationError('source_unavailable', 'refused');
  const { asked, lines } = await playLogins([refused, refused, loginOf('s.1', undefined)], [], 20_000);
  t.strictSame(asked, [
    [0, 'login'],
    [1000, 'login'],
    [4000, 'login'],
  ]);
  t.strictSame(
    lines.map(({ event }) => event),
    ['vault.login_failed', 'vault.login_failed', 'vault.logged_in'],
  );
});
