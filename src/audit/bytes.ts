/** Whether the bytes stand at that place of the text. By hand: for so few bytes a call of Buffer's costs ten times as much. */
export function holdsAt(text: Buffer, wanted: Buffer, at: number): boolean {
  for (let offset = 0; offset < wanted.length; offset += 1) {
    if (text[at + offset] !== wanted[offset]) return false;
  }
  return true;
}
