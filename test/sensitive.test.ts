import { format, inspect } from 'node:util';
import pino from 'pino';
import t from 'tap';
import { Sensitive } from '../src/sensitive.ts';

const CANARY = 'canary-4711';

t.test('no printer, serialiser or template shows the value', async (t) => {
  const one = new Sensitive(CANARY);
  const nested = new Sensitive({ deep: [CANARY] });
  const held = { one, nested, list: [one], map: new Map([['k', one]]) };
  const logged: string[] = [];
  pino({}, { write: (line: string) => logged.push(line) }).info({ one, held }, 'told');
  const shown: Record<string, string> = {
    inspect: inspect(one),
    'inspect, everything': inspect(held, { depth: null, showHidden: true, getters: true, customInspect: true }),
    'inspect, without custom': inspect(held, { depth: null, showHidden: true, customInspect: false }),
    format: format('%s %o %O %j', one, one, held, nested),
    template: `${one}`,
    concatenation: `${one}${nested}`,
    String: String(one),
    'an array joined': [one, nested].join(),
    JSON: JSON.stringify(held),
    'an error': inspect(new Error(`failed with ${one}`, { cause: held })),
    keys: [...Object.getOwnPropertyNames(one), ...Object.getOwnPropertySymbols(one).map(String)].join(),
    spread: JSON.stringify({ ...one }),
    clone: inspect(structuredClone(one)),
    pino: logged.join(),
  };
  for (const [way, text] of Object.entries(shown)) t.notOk(text.includes(CANARY), way);
});

t.test('what is shown instead says so', async (t) => {
  const one = new Sensitive(CANARY);
  for (const text of [inspect(one), `${one}`, String(one), JSON.parse(JSON.stringify(one))])
    t.equal(text, '[redacted]');
});

t.test('only reveal gives it back', async (t) => {
  t.equal(new Sensitive(CANARY).reveal(), CANARY);
});
