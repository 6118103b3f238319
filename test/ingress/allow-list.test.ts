import t from 'tap';
import { createAllowList } from '../../src/ingress/allow-list.ts';

t.test('addresses and networks of both families', async (t) => {
  const allowed = createAllowList(['192.0.2.7', '10.0.0.0/8', '2001:db8::/32', '::1']);
  for (const address of ['192.0.2.7', '10.255.0.1', '2001:db8:1::9', '::1']) t.equal(allowed(address), true, address);
  for (const address of ['192.0.2.8', '11.0.0.1', '2001:db9::1', '::2', '127.0.0.1']) {
    t.equal(allowed(address), false, address);
  }
  t.equal(createAllowList([])('127.0.0.1'), false);
});

t.test('an IPv4 peer is judged as one, also on a listener of both families', async (t) => {
  const allowed = createAllowList(['10.0.0.0/8']);
  t.same([allowed('::ffff:10.1.2.3'), allowed('::ffff:a01:203'), allowed('::ffff:11.1.2.3')], [true, true, false]);
  const everyIPv6 = createAllowList(['::/0']);
  t.same([everyIPv6('2001:db8::1'), everyIPv6('10.1.2.3'), everyIPv6('::ffff:10.1.2.3')], [true, false, false]);
  const everyIPv4 = createAllowList(['0.0.0.0/0']);
  t.same([everyIPv4('10.1.2.3'), everyIPv4('::ffff:10.1.2.3'), everyIPv4('::1')], [true, true, false]);
});

t.test('IPv4 addresses in the spelling of IPv6', async (t) => {
  const allowed = createAllowList(['::ffff:10.0.0.0/104', '::ffff:192.0.2.7']);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7']) t.equal(allowed(address), true, address);
  for (const address of ['11.1.2.3', '192.0.2.8']) t.equal(allowed(address), false, address);
  t.equal(createAllowList(['::ffff:0:0/95'])('10.1.2.3'), false, 'a network of more than IPv4 is one of IPv6');
});

t.test('a zone makes no difference', async (t) => {
  t.equal(createAllowList(['fe80::/10'])('fe80::1%eth0'), true);
  t.equal(createAllowList(['fe80::1%eth0'])('fe80::1'), true);
});
