import t from 'tap';
import { createLogStream } from '../src/log-stream.ts';
import { until } from './servers/until.ts';

/** A pipe with room for so many bytes, as a file descriptor that never blocks shows it. */
function pipe(room: number, code = 'EAGAIN') {
  const state = { room, text: '', code };
  const put = (bytes: Buffer): number => {
    const taken = Math.min(bytes.length, state.room);
    if (taken === 0) throw Object.assign(new Error('no room'), { code: state.code });
    state.room -= taken;
    state.text += bytes.subarray(0, taken).toString('latin1');
    return taken;
  };
  return { state, put };
}

const told = (lines: number) => `dropped ${lines}\n`;

/** A stream over it, which says what it dropped as a line of its own. */
function stream(put: (bytes: Buffer) => number, maxWaiting: number) {
  const log = createLogStream({ put, maxWaiting, onDropped: (lines) => log.write(told(lines)) });
  return log;
}

t.test('a line is written at once while there is room', async (t) => {
  const { state, put } = pipe(1_000);
  const log = stream(put, 100);
  log.write('one\n');
  t.equal(state.text, 'one\n');
  log.write(`${'x'.repeat(200)}\n`);
  t.equal(state.text.length, 205, 'one that is longer than what may wait, too');
});

t.test('what has no room waits in its order, what is too much is dropped whole, counted and told', async (t) => {
  const { state, put } = pipe(6);
  const log = stream(put, 10);
  for (const line of ['one\n', 'two\n', 'three\n', 'four\n', 'x\n']) log.write(line);
  t.equal(state.text, 'one\ntw', 'a line may be cut');
  state.room = 1_000;
  await until(() => state.text.includes('dropped'), { what: 'the lines that waited' });
  t.equal(state.text, `one\ntwo\nthree\nx\n${told(1)}`);
  log.write('again\n');
  t.match(state.text, /again\n$/);
});

t.test('what is insisted on is not dropped with the rest', async (t) => {
  const { state, put } = pipe(0);
  const log = stream(put, 4);
  for (const line of ['one\n', 'two\n']) log.write(line);
  log.insist('ready\n');
  state.room = 1_000;
  log.flush(50);
  t.equal(state.text, `one\nready\n${told(1)}`);
});

t.test('the end waits for a reader that is slow, and not for one that has stalled', async (t) => {
  const { state, put } = pipe(0);
  const log = stream((bytes) => put(bytes.subarray(0, 1)), 4);
  for (const line of ['one\n', 'two\n']) log.write(line);
  const began = performance.now();
  log.flush(50);
  t.ok(performance.now() - began < 5_000);
  t.equal(state.text, '');
  state.room = 1_000;
  log.flush(50);
  t.equal(state.text, `one\n${told(1)}`);
});

t.test('a reader that is gone leaves nothing waiting, and a full disk is tried again', async (t) => {
  const gone = pipe(0, 'EPIPE');
  const log = stream(gone.put, 4);
  for (let line = 0; line < 9; line += 1) log.write('one\n');
  gone.state.room = 1_000;
  log.write('two\n');
  t.equal(gone.state.text, 'two\n');
  const full = pipe(0, 'ENOSPC');
  const other = stream(full.put, 10);
  other.write('one\n');
  full.state.room = 1_000;
  await until(() => full.state.text === 'one\n', { what: 'the line that had no room' });
});
