import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

// Node makes keys and signatures but no certificates. What is needed of X.509 (RFC 5280) is a page of DER, fewer lines
// than any library for it brings packages.

export interface Issued {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8, without a passphrase. */
  readonly key: string;
}

export interface Authority extends Issued {
  /** A certificate for a server on loopback and for clients, valid for a day. */
  issue(name: string): Issued;
}

/** An authority of its own that signs certificates with fresh P-256 keys. */
export function createAuthority(name: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const self = certificate({ subject: name, issuer: name, key: keys.publicKey, signer: keys.privateKey, isCa: true });
  return {
    cert: self,
    key: pemKey(keys.privateKey),
    issue(subject) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const cert = certificate({ subject, issuer: name, key: publicKey, signer: keys.privateKey, isCa: false });
      return { cert, key: pemKey(privateKey) };
    },
  };
}

const pemKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

interface Contents {
  readonly subject: string;
  readonly issuer: string;
  readonly key: KeyObject;
  readonly signer: KeyObject;
  readonly isCa: boolean;
}

function certificate({ subject, issuer, key, signer, isCa }: Contents): string {
  const day = 86_400_000;
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.of(2))), // version 3
    integer(Buffer.concat([Buffer.of(1), randomBytes(15)])),
    ECDSA_WITH_SHA256,
    distinguishedName(issuer),
    sequence(utcTime(new Date(Date.now() - day)), utcTime(new Date(Date.now() + day))),
    distinguishedName(subject),
    key.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(isCa ? BASIC_CONSTRAINTS_CA : LOOPBACK_NAMES)),
  );
  const signature = tagged(0x03, Buffer.of(0), sign('sha256', toBeSigned, signer));
  const base64 = sequence(toBeSigned, ECDSA_WITH_SHA256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

function tagged(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

const sequence = (...contents: readonly Buffer[]): Buffer => tagged(0x30, ...contents);
const integer = (bytes: Buffer): Buffer => tagged(0x02, bytes);
const identifier = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'));
const octets = (content: Buffer): Buffer => tagged(0x04, content);
const utcTime = (time: Date): Buffer =>
  tagged(0x17, Buffer.from(`${time.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`));

/** One common name. */
const distinguishedName = (name: string): Buffer =>
  sequence(tagged(0x31, sequence(identifier('550403'), tagged(0x0c, Buffer.from(name)))));

const ECDSA_WITH_SHA256 = sequence(identifier('2a8648ce3d040302'));
const BASIC_CONSTRAINTS_CA = sequence(
  identifier('551d13'),
  tagged(0x01, Buffer.of(0xff)),
  octets(sequence(tagged(0x01, Buffer.of(0xff)))),
);
/** subjectAltName: localhost, 127.0.0.1 and ::1. */
const LOOPBACK_NAMES = sequence(
  identifier('551d11'),
  octets(
    sequence(
      tagged(0x82, Buffer.from('localhost')),
      tagged(0x87, Buffer.of(127, 0, 0, 1)),
      tagged(0x87, Buffer.concat([Buffer.alloc(15), Buffer.of(1)])),
    ),
  ),
);
