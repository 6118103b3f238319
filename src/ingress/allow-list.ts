import net from 'node:net';

/**
 * Whether an address is among these addresses and CIDR networks. An IPv4 peer is judged as one however it came in: a
 * listener on `::` sees it as `::ffff:192.0.2.7`, which `192.0.2.0/24` lets in and `::/0` does not.
 */
export function createAllowList(entries: readonly string[]): (address: string) => boolean {
  const lists = { ipv4: new net.BlockList(), ipv6: new net.BlockList() };
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = familyOf(address);
    const bits = prefix === undefined ? WIDTH[family] : Number(prefix);
    const isIPv4 = family === 'ipv4' || (isMapped(address) && bits >= MAPPED_BITS);
    lists[isIPv4 ? 'ipv4' : 'ipv6'].addSubnet(address, bits, family);
  }
  return (address) => {
    const family = familyOf(address);
    return lists[isMapped(address) ? 'ipv4' : family].check(address, family);
  };
}

const WIDTH = { ipv4: 32, ipv6: 128 } as const;
const MAPPED_BITS = 96;

const familyOf = (address: string): 'ipv4' | 'ipv6' => (net.isIPv6(address) ? 'ipv6' : 'ipv4');

const isMapped = (address: string): boolean => {
  if (!net.isIPv6(address)) return false;
  const mapped = new net.BlockList();
  mapped.addSubnet('::ffff:0:0', MAPPED_BITS, 'ipv6');
  return mapped.check(address, 'ipv6');
};
