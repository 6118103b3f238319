import { PassThrough } from 'node:stream';
import t from 'tap';
import { ask } from '../../src/commands/ask.ts';
import { createTerminal } from '../../src/commands/terminal.ts';

function asked(signal = new AbortController().signal) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  return { input, output, answer: ask('Delete it?', { input, output, signal }) };
}

t.test('y and yes are yes, everything else is no', async (t) => {
  const table = { y: true, 'YES ': true, Yes: true, '': false, n: false, yess: false, no: false };
  for (const [said, yes] of Object.entries(table)) {
    const { input, output, answer } = asked();
    input.write(`${said}\n`);
    t.equal(await answer, yes, said);
    t.equal(String(output.read()), 'Delete it? [y/N] ');
  }
});

t.test('the end of the input is no, and a signal ends the question', async (t) => {
  const { input, output, answer } = asked();
  input.end();
  t.equal(await answer, false);
  t.equal(String(output.read()), 'Delete it? [y/N] \n');
  const stopping = new AbortController();
  const { answer: never } = asked(stopping.signal);
  stopping.abort();
  await t.rejects(never, { name: 'AbortError' });
});

t.test('progress is shown in one line of a terminal, and nowhere else', async (t) => {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  const silent = createTerminal({ isTTY: true }, { write });
  silent.progress('reading');
  t.equal(text, '');
  t.equal(silent.asks, false);
  const terminal = createTerminal({ isTTY: true }, { isTTY: true, columns: 6, write });
  t.equal(terminal.asks, true);
  for (const step of ['', 'one', 'one', 'a long one', '']) terminal.progress(step);
  t.equal(text, '\r\u001b[Kone\r\u001b[Ka lon\r\u001b[K');
  t.equal(createTerminal({}, { isTTY: true, write }).asks, false);
  for (const columns of [undefined, 0]) {
    createTerminal({}, { isTTY: true, write, ...(columns !== undefined && { columns }) }).progress('wide');
    t.match(text, /wide$/);
    text = '';
  }
});
