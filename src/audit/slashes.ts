/** Without outer slashes. By hand: a regular expression backtracks for minutes on a forged megabyte of slashes. */
export function trimSlashes(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === '/') start += 1;
  while (end > start && text[end - 1] === '/') end -= 1;
  return text.slice(start, end);
}

/** What lies below `folder` (without outer slashes), by whole segments; undefined when the path is not below it. */
export const below = (folder: string, path: string): string | undefined =>
  path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : undefined;
