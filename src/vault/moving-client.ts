import type { VaultClient } from './client.ts';

/** A client that asks for the address before each request, and begins anew where that has changed. */
export function createMovingClient(
  address: () => Promise<string>,
  open: (address: string) => VaultClient,
): VaultClient {
  let opened: { readonly address: string; readonly client: VaultClient } | undefined;
  let closed = false;
  const at = (where: string): VaultClient => {
    if (opened?.address === where) return opened.client;
    opened?.client.close();
    opened = { address: where, client: open(where) };
    if (closed) opened.client.close();
    return opened.client;
  };
  return {
    request: async (call) => at(await address()).request(call),
    close: () => {
      closed = true;
      opened?.client.close();
    },
  };
}
