import t from 'tap';
import { until } from './until.ts';

t.test('answers the first truthy value', async (t) => {
  let tries = 0;
  t.equal(await until(() => ++tries === 3 && 'there', { what: 'a third try', interval: 1 }), 'there');
  t.equal(tries, 3);
});

t.test('takes a throw for "not yet"', async (t) => {
  let tries = 0;
  const check = async () => {
    tries += 1;
    if (tries < 3) throw new Error('refused');
    return tries;
  };
  t.equal(await until(check, { what: 'an answer', interval: 1 }), 3);
});

t.test('the longer it waits, the less often it asks', async (t) => {
  let tries = 0;
  await t.rejects(until(() => ++tries < 0, { what: 'a long while', deadline: 1_500 }));
  t.ok(tries > 1 && tries < 60, `${tries} tries, where 15 ms each would be a hundred`);
});

t.test('says what was waited for, and the last error', async (t) => {
  const wait = { what: 'the moon', deadline: 5, interval: 1 };
  await t.rejects(
    until(() => false, wait),
    { message: 'Waited 5 ms for the moon' },
  );
  const failing = until(() => Promise.reject(new Error('clouds')), wait);
  await t.rejects(failing, { message: 'Waited 5 ms for the moon; the last try failed: clouds' });
});
