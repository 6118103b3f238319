/** What a command may do where a person looks on. */
export interface Terminal {
  /** Whether a question would be seen and could be answered. */
  readonly asks: boolean;
  /** Shows how far something is, in place of what it showed before; "" takes it away. Nothing without a terminal. */
  readonly progress: (text: string) => void;
}

export function createTerminal(
  input: { readonly isTTY?: boolean },
  output: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown },
): Terminal {
  let shown = '';
  return {
    asks: input.isTTY === true && output.isTTY === true,
    progress(text) {
      if (output.isTTY !== true || text === shown) return;
      shown = text;
      output.write(`\r\u001b[K${text.slice(0, (output.columns || 80) - 1)}`);
    },
  };
}
