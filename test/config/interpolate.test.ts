import t from 'tap';
import { interpolate, replaceVariables } from '../../src/config/interpolate.ts';
import type { SchemaNode } from '../../src/config/schema-node.ts';

const ENV = { A: 'one', EMPTY: '', ODD: `# "x"\n\${A}`, NUMBER: '12', YES: 'true', _1: 'u' };

t.test('variables are replaced, once', async (t) => {
  const cases: [string, string][] = [
    ['plain $ { } $A', 'plain $ { } $A'],
    [`\${A}`, 'one'],
    [`<\${A}-\${_1}>`, '<one-u>'],
    [`\${EMPTY}`, ''],
    [`\${ODD}`, `# "x"\n\${A}`],
    [`$\${A}`, `\${A}`],
    [`$$\${A}`, `$\${A}`],
    [`$\${A}\${A}`, `\${A}one`],
  ];
  for (const [text, replaced] of cases) {
    t.match(replaceVariables(text, ENV), { replaced, problems: [] }, text);
  }
});

t.test('an unset variable is named, anything else between the braces is not', async (t) => {
  t.same(replaceVariables(`\${A}\${NOT_SET}`, ENV).problems, ['the environment variable NOT_SET is not set']);
  t.same(replaceVariables(`\${constructor}`, ENV).problems, ['the environment variable constructor is not set']);
  for (const text of [`\${s3cret-x}`, `\${s3cret`, `\${}`, `\${1s3cret}`, `\${ A }`]) {
    const [problem = ''] = replaceVariables(text, ENV).problems;
    t.match(problem, 'expected the name of an environment variable');
    t.notMatch(problem, 's3cret');
  }
});

t.test('only what came from a variable becomes a number or boolean, and only where one is expected', async (t) => {
  const schema: SchemaNode = {
    properties: {
      n: { type: 'integer' },
      b: { type: ['object', 'boolean'] },
      e: { enum: ['auto', 12] },
      s: { type: 'string' },
      list: { type: 'array', items: { type: 'integer' } },
    },
    additionalProperties: false,
  };
  const spelled = { n: '12', b: 'true', e: '12', s: '12', list: ['12'], x: '12' };
  t.same(interpolate(spelled, schema, ENV).tree, spelled);
  const given = {
    n: `\${NUMBER}`,
    b: `\${YES}`,
    e: `\${NUMBER}`,
    s: `\${NUMBER}`,
    list: [`1\${NUMBER}`],
    x: `\${NUMBER}`,
  };
  t.same(interpolate(given, schema, ENV).tree, { n: 12, b: true, e: 12, s: '12', list: [112], x: '12' });
  t.same(interpolate({ n: `\${A}`, b: `\${NUMBER}`, e: `\${A}` }, schema, ENV).tree, { n: 'one', b: '12', e: 'one' });
});

t.test('keys are left alone, and findings name their place', async (t) => {
  const { tree, findings } = interpolate({ [`\${A}`]: [1, null, { k: `\${NO}` }] }, {}, ENV);
  t.same(tree, { [`\${A}`]: [1, null, { k: `\${NO}` }] });
  t.same(findings, [{ path: [`\${A}`, 2, 'k'], text: 'the environment variable NO is not set' }]);
});

t.test('__proto__ stays a key like any other', async (t) => {
  const { tree } = interpolate(JSON.parse(`{"__proto__":{"a":"\${A}"}}`), {}, ENV);
  t.equal(JSON.stringify(tree), '{"__proto__":{"a":"one"}}');
});

t.test('a tree without end is reported', async (t) => {
  const ring: unknown[] = [];
  ring.push(ring, ring);
  t.match(interpolate({ ring }, {}, ENV).findings, [{ path: ['ring'], text: /nested too deeply/ }]);
  const deep = JSON.parse('['.repeat(40) + ']'.repeat(40));
  t.match(interpolate(deep, {}, ENV).findings, [{ path: [0], text: /nested too deeply/ }]);
});
