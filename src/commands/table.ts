/** Rows of the same number of cells as aligned lines; the columns in `right` lean to the right. */
export function alignedTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = widthsOf(rows);
  const pad = (text: string, column: number): string => {
    const padding = ' '.repeat((widths[column] ?? 0) - width(text));
    return right.includes(column) ? padding + text : text + padding;
  };
  return rows.map((cells) => cells.map(pad).join('  ').trimEnd());
}

/** Never by spreading: as many arguments as there may be rows are more than a call takes. */
const widthsOf = (rows: readonly (readonly string[])[]): number[] =>
  (rows[0] ?? []).map((_, column) => rows.reduce((widest, cells) => Math.max(widest, width(cells[column])), 0));

/** One column of a table, whose cells are cut in the middle to `least` code points at most, so that a line fits. */
export interface Flexible {
  readonly column: number;
  readonly least: number;
}

/** As {@link alignedTable}, on a terminal of so many columns; undefined: on none, and nothing is cut. */
export function fittedTable(
  rows: readonly (readonly string[])[],
  { column, least }: Flexible,
  columns: number | undefined,
  right: readonly number[],
): string[] {
  if (columns === undefined) return alignedTable(rows, right);
  const others = widthsOf(rows).filter((_, index) => index !== column);
  const left = Math.max(
    least,
    others.reduce((rest, taken) => rest - taken - 2, columns),
  );
  const cut = (cell: string, index: number) => (index === column ? cutMiddle(cell, left) : cell);
  return alignedTable(
    rows.map((cells) => cells.map(cut)),
    right,
  );
}

/** Lines of at most `columns` code points, broken between words; a longer word stays whole, and so does the text without. */
export function wrapped(text: string, columns: number | undefined): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || columns === undefined || width(longer) <= columns) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** In code points: close enough for what refs are made of. */
const width = (text = ''): number => Array.from(text).length;

/** Text from elsewhere for a terminal: what could move its cursor, colour it or turn its direction is spelled \uXXXX. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, spelled);

/** JSON that a terminal may show, too: the same characters are spelled, which JSON's readers undo. */
export const printableJson = (value: unknown): string => printable(JSON.stringify(value));

const spelled = (text: string): string =>
  text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/** How long ago, in the largest unit of which it has one: `45 s`, `3 m`, `2 h`, `5 d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const;
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? (['s', 1] as const);
  return `${Math.floor(seconds / size)} ${unit}`;
}

export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** With commas: `12,345`. */
export const grouped = (number: number): string => new Intl.NumberFormat('en-US').format(number);

/** Text of at most `width` code points: where it is longer, its middle is left out, since both ends of a ref tell most. */
export function cutMiddle(text: string, width: number): string {
  const characters = Array.from(text);
  if (characters.length <= width) return text;
  const head = Math.ceil((width - 1) / 2);
  return [...characters.slice(0, head), '…', ...characters.slice(characters.length - (width - 1 - head))].join('');
}

/** A colour's SGR code around the text, where a terminal shows it. */
export const paint = (text: string, code: number, coloured: boolean): string =>
  coloured ? `\u001b[${code}m${text}\u001b[0m` : text;
