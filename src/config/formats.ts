import { isNetwork, parseHttpAddress, parseSocketAddress, parseUrl } from './address.ts';
import { parsePercent } from './units.ts';

/** A named form of a text: what people are told to write, a pattern for editors, and the check that decides. */
export interface Format {
  readonly expected: string;
  readonly pattern: string;
  readonly check: (text: string) => boolean;
}

const matching = (expected: string, pattern: string): Format => {
  const expression = new RegExp(pattern, 'u');
  return { expected, pattern, check: (text) => expression.test(text) };
};

/** AWS counts as strings of Java and JavaScript do: a letter beyond U+FFFF is two characters. */
const atMost = (characters: number, format: Format): Format => ({
  ...format,
  check: (text) => text.length <= characters && format.check(text),
});

// AWS lets tags hold letters, spaces, digits and + - = . _ : / @ (TagResource, API reference).
const TAG_CHARACTERS = '[\\p{L}\\p{Z}\\p{N}_.:/=+@-]';

const isOrigin = (text: string): boolean => {
  const url = parseUrl(text);
  return url?.pathname === '/' && url.search === '' && !text.includes('?');
};
const isFifoUrl = (text: string): boolean => {
  const url = parseUrl(text);
  return url?.search === '' && url.pathname.endsWith('.fifo');
};

/** Takes the slashes off both ends, as Vault's own mounts and namespaces have one at the end. */
export const trimSlashes = (text: string): string => text.replace(/^\/+/, '').replace(/\/+$/, '');

const isMount = (text: string): boolean => trimSlashes(text) !== '' && !trimSlashes(text).includes('//');
/** What a template spells itself is not escaped, so it must be what Secrets Manager takes in names (CreateSecret). */
function isTemplate(text: string): boolean {
  const spelled = text.replace(/\{(namespace|mount|path)\}/g, '');
  return text.includes('{path}') && /^[A-Za-z0-9/_+=.@-]{0,511}$/.test(spelled);
}

export const FORMATS = {
  'vault-id': matching(
    'at most 64 letters, digits and . _ - beginning with a letter or digit',
    '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  ),
  'destination-name': matching(
    'a name of letters, digits and . _ - beginning with a letter or digit',
    '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  ),
  'route-name': matching('at most 255 letters, digits, spaces and + - = . _ : / @', `^${TAG_CHARACTERS}{1,255}$`),
  percent: {
    expected: 'a share such as 5%, at most 100%',
    pattern: '^[0-9]{1,3}(\\.[0-9]{1,6})?%$',
    check: (text) => parsePercent(text) !== undefined,
  },
  'tag-key': atMost(
    127,
    matching(
      'tag keys of at most 127 letters, digits, spaces and + - = . _ : / @, other than version, aws:… and vaultferry:…',
      `^(?!([aA][wW][sS]|vaultferry):|version$)${TAG_CHARACTERS}{1,127}$`,
    ),
  ),
  'tag-value': atMost(
    255,
    matching('at most 255 letters, digits, spaces and + - = . _ : / @', `^${TAG_CHARACTERS}{0,255}$`),
  ),
  region: matching('an AWS region such as eu-west-1', '^[a-z]{2,}(-[a-z0-9]+)+$'),
  'octal-mode': matching('an octal file mode in quotes, such as "0660"', '^0?[0-7]{3}$'),
  origin: {
    expected: 'an http or https URL without credentials, path and query, such as https://vault.example:8200',
    pattern: '^[hH][tT][tT][pP][sS]?://[^/?#@]+/?$',
    check: isOrigin,
  },
  url: {
    expected: 'an http or https URL without credentials',
    pattern: '^[hH][tT][tT][pP][sS]?://',
    check: (text) => parseUrl(text) !== undefined,
  },
  'fifo-url': {
    expected: 'the http or https URL of a FIFO queue, without credentials; it ends in .fifo',
    pattern: '^[hH][tT][tT][pP][sS]?://.*\\.fifo$',
    check: isFifoUrl,
  },
  'socket-address': {
    expected: 'tcp://host:port, tls://host:port or unix:/absolute/path',
    pattern: '^((tcp|tls)://.+:[0-9]{1,5}/?|unix:/.+)$',
    check: (text) => parseSocketAddress(text) !== undefined,
  },
  'http-address': {
    expected: 'http://host:port or https://… (an IPv6 host in brackets; port 0 lets the kernel choose)',
    pattern: '^https?://.+:[0-9]{1,5}/?$',
    check: (text) => parseHttpAddress(text) !== undefined,
  },
  network: {
    expected: 'an IP address or a network such as 10.0.0.0/8',
    pattern: '^[0-9A-Fa-f:.%]+(/[0-9]{1,3})?$',
    check: isNetwork,
  },
  mount: {
    expected: 'the path of a mount, such as secret or team/kv',
    pattern: '[^/]',
    check: isMount,
  },
  namespace: {
    expected: 'the path of a namespace, such as team-a, or "" for the root namespace',
    pattern: '',
    check: (text) => !trimSlashes(text).includes('//'),
  },
  'name-template': {
    expected:
      'a template that holds {path}, and else {namespace}, {mount} and at most 511 letters, digits and / _ + = . @ -',
    pattern: '\\{path\\}',
    check: isTemplate,
  },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;
