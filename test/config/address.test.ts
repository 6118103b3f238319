import t from 'tap';
import {
  formatHttpAddress,
  formatSocketAddress,
  isLoopback,
  isNetwork,
  parseHttpAddress,
  parseSocketAddress,
  parseUrl,
} from '../../src/config/address.ts';

t.test('an http address is host and port, and comes back as it was', async (t) => {
  const cases: [string, string, number][] = [
    ['http://127.0.0.1:8080', '127.0.0.1', 8080],
    ['http://localhost:0', 'localhost', 0],
    ['http://[::1]:80', '::1', 80],
    ['http://vault-ferry.example:65535', 'vault-ferry.example', 65_535],
  ];
  for (const [text, host, port] of cases) {
    t.same(parseHttpAddress(text), { host, port }, text);
    t.equal(formatHttpAddress({ host, port }), text);
  }
  t.same(parseHttpAddress('http://127.0.0.1:1/'), { host: '127.0.0.1', port: 1 });
  t.same(parseHttpAddress('https://[::1]:8443/'), { host: '::1', port: 8443, tls: true });
  t.equal(formatHttpAddress({ host: '::1', port: 8443, tls: true }), 'https://[::1]:8443');
});

t.test('what is no http address is refused', async (t) => {
  const wrong = [
    '127.0.0.1:80',
    'httpss://a:1',
    'ftp://a:1',
    'http://a',
    'http://:80',
    'http://a:65536',
    'http://a:1/x',
    'http://u@a:1',
  ];
  const hosts = ['http://[127.0.0.1]:1', 'http://::1:1', 'http://1.2.3:1', 'http://-a:1', 'http://[]:1', 'http://*:1'];
  for (const text of [...wrong, ...hosts, '']) t.equal(parseHttpAddress(text), undefined, text);
});

t.test('a socket address is tcp, tls or unix, and comes back as it was', async (t) => {
  for (const text of ['tcp://127.0.0.1:9090', 'tcp://[::1]:0', 'tls://localhost:1', 'unix:/run/a b.sock']) {
    const address = parseSocketAddress(text);
    t.equal(address && formatSocketAddress(address), text);
  }
  t.same(parseSocketAddress('unix:///run/a.sock'), { kind: 'unix', path: '/run/a.sock' });
  t.same(parseSocketAddress(`unix:/${'x'.repeat(106)}`), { kind: 'unix', path: `/${'x'.repeat(106)}` });
});

t.test('what is no socket address is refused', async (t) => {
  const wrong = [
    '127.0.0.1:9',
    'tcp://127.0.0.1',
    'tls://a',
    'ssl://a:1',
    'unix:',
    'unix:/',
    'unix:a.sock',
    'unix:/a\0b',
  ];
  for (const text of [...wrong, `unix:/${'x'.repeat(107)}`, `unix:/${'é'.repeat(54)}`]) {
    t.equal(parseSocketAddress(text), undefined, text);
  }
});

t.test('loopback is what only this host reaches', async (t) => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost', 'LocalHost']) t.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.example', 'example']) t.notOk(isLoopback(host), host);
});

t.test('networks are addresses with or without a prefix length', async (t) => {
  for (const text of ['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '1.2.3.4/32', '::1', '::/0', 'fd00::/128'])
    t.ok(isNetwork(text), text);
  for (const text of ['', 'a', '10.0.0/8', '10.0.0.0/33', '::/129', '1.2.3.4/', '1.2.3.4/-1', '1.2.3.4/8/8', '/8']) {
    t.notOk(isNetwork(text), text);
  }
});

t.test('URLs with credentials, white space or a fragment are refused', async (t) => {
  t.equal(parseUrl('https://a:1/b?c')?.href, 'https://a:1/b?c');
  const wrong = ['ftp://a', 'a', 'http://', 'http://u@a', 'http://:p@a', 'http://a/#b', 'http://a b', 'http://[', ''];
  for (const text of wrong) t.equal(parseUrl(text), undefined, text);
});
