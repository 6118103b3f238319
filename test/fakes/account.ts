/** A refusal as the AWS SDK throws it: known by its name. */
export class AwsError extends Error {
  readonly $metadata = { httpStatusCode: 400 };

  constructor(name: string, text: string) {
    super(text);
    this.name = name;
  }
}

export const CURRENT = 'AWSCURRENT';
const PREVIOUS = 'AWSPREVIOUS';
/** Secrets Manager refuses a version past so many that it may not remove yet. */
const MAX_VERSIONS = 100;
/** What lost its labels is removed only once it is this old, in ms. */
const KEPT_FOR = 24 * 3_600_000;

export interface Version {
  readonly value: string;
  readonly createdAt: number;
  readonly labels: Set<string>;
}

/** One life of a name: what is deleted for good and created anew is another secret, with another ARN. */
export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly description: string;
  readonly tags: Map<string, string>;
  readonly versions: Map<string, Version>;
  deletedAt: number | undefined;
  rotationEnabled: boolean;
  /** False once it is gone for good. */
  exists: boolean;
}

/** Told right after each effect on one secret. */
export type Observer = (operation: string, actor: string, secret: Secret, before: Before) => void;

export interface Before {
  readonly current: string | undefined;
  readonly tags: ReadonlyMap<string, string>;
}

export interface AccountRules {
  readonly region: string;
  /**
   * What becomes of a version that lost its last label, which AWS's documents leave open:
   * - `gone`: it cannot be promoted, and a put that repeats it brings it back;
   * - `kept`: it can be promoted, and a put that repeats it does nothing at all.
   */
  readonly unlabelled: 'gone' | 'kept';
  /** IAM allows writes of secrets with this tag only, as the policy does that VaultFerry prints. */
  readonly requiredTag?: readonly [key: string, value: string] | undefined;
}

/** A secret as it was at one time. */
export interface Listed {
  readonly secret: Secret;
  readonly at: number;
  readonly exists: boolean;
  readonly deletedAt: number | undefined;
  readonly rotationEnabled: boolean;
  readonly tags: ReadonlyMap<string, string>;
  /** Labels by version id, of those that have some. */
  readonly stages: Readonly<Record<string, readonly string[]>>;
}

export type Account = ReturnType<typeof createAccount>;

/**
 * Secrets Manager in one account and region, with its rules: names and ARNs, tokens, labels, pending deletion, limits,
 * and a ListSecrets that lags. Every method acts at once, as `actor`; "hand" is a person's, who may do anything.
 */
export function createAccount(now: () => number, rules: AccountRules, observe: Observer) {
  const secrets: Secret[] = [];
  const listed = new Map<Secret, Listed[]>();
  let serial = 0;

  const note = (secret: Secret) => {
    const { exists, deletedAt, tags, rotationEnabled } = secret;
    const states = { exists, deletedAt, rotationEnabled, tags: new Map(tags), stages: stagesOf(secret) };
    const entry: Listed = { secret, at: now(), ...states };
    const entries = listed.get(secret);
    if (entries === undefined) listed.set(secret, [entry]);
    else entries.push(entry);
  };
  /** By name or ARN, as every call takes it. */
  const find = (id: string): Secret | undefined =>
    secrets.find((secret) => secret.exists && (secret.arn === id || secret.name === id));
  const get = (id: string): Secret => find(id) ?? refuse('ResourceNotFoundException', 'no such secret');
  const change = (operation: string, actor: string, secret: Secret, effect: () => void) => {
    if (actor !== 'hand') requireTag(secret.tags, rules);
    const before = { current: idAt(secret, CURRENT), tags: new Map(secret.tags) };
    effect();
    note(secret);
    observe(operation, actor, secret, before);
  };
  const open = (id: string): Secret => {
    const secret = get(id);
    if (secret.deletedAt !== undefined) refuse('InvalidRequestException', 'it is scheduled for deletion');
    return secret;
  };
  /** Drops what AWS may drop by now. */
  const prune = ({ versions }: Secret) => {
    for (const [id, { labels, createdAt }] of versions) {
      const removable = labels.size === 0 && now() - createdAt > KEPT_FOR;
      if (removable && versions.size >= MAX_VERSIONS) versions.delete(id);
    }
  };
  const add = (secret: Secret, token: string, value: string, label: string | undefined) => {
    secret.versions.set(token, { value, createdAt: now(), labels: new Set() });
    if (label !== undefined) moveLabel(secret, label, token);
    if (idAt(secret, CURRENT) === undefined || label === CURRENT) moveCurrent(secret, token);
  };

  return {
    secrets: secrets as readonly Secret[],
    find,
    describe: (id: string): Secret => get(id),
    /** A value that is there is never written over; without `value` the secret has no version. */
    create(actor: string, name: string, { description = '', tags = {}, token = '', value }: CreateOptions): Secret {
      if (actor !== 'hand') requireTag(new Map(Object.entries(tags)), rules);
      const existing = find(name);
      if (existing?.deletedAt !== undefined) refuse('InvalidRequestException', 'it is scheduled for deletion');
      if (existing !== undefined) {
        if (existing.versions.get(token)?.value === value) return existing;
        refuse('ResourceExistsException', 'the name is taken');
      }
      serial += 1;
      const arn = `arn:aws:secretsmanager:${rules.region}:111122223333:secret:${name}-${String(serial).padStart(6, '0')}`;
      const secret: Secret = {
        arn,
        name,
        description,
        tags: new Map(Object.entries(tags)),
        versions: new Map(),
        deletedAt: undefined,
        rotationEnabled: false,
        exists: true,
      };
      secrets.push(secret);
      if (value !== undefined) add(secret, token, value, CURRENT);
      note(secret);
      observe('create', actor, secret, { current: undefined, tags: new Map() });
      return secret;
    },
    put(actor: string, id: string, token: string, value: string, label: string): void {
      const secret = open(id);
      change('put', actor, secret, () => {
        prune(secret);
        const existing = secret.versions.get(token);
        if (existing !== undefined && existing.value !== value) refuse('ResourceExistsException', 'other bytes');
        if (existing !== undefined && (existing.labels.size > 0 || rules.unlabelled === 'kept')) return;
        if (existing !== undefined) secret.versions.delete(token);
        if (secret.versions.size >= MAX_VERSIONS) refuse('LimitExceededException', 'too many versions');
        add(secret, token, value, label);
      });
    },
    /** UpdateSecretVersionStage of AWSCURRENT. */
    move(actor: string, id: string, to: string, from: string | undefined): void {
      const secret = open(id);
      change('promote', actor, secret, () => {
        const labels = secret.versions.get(to)?.labels;
        if (labels === undefined || (labels.size === 0 && rules.unlabelled === 'gone'))
          refuse('ResourceNotFoundException', 'no such version');
        const current = idAt(secret, CURRENT);
        if (current !== from && !(from === undefined && current === to)) {
          refuse('InvalidParameterException', 'AWSCURRENT is not at RemoveFromVersionId');
        }
        moveCurrent(secret, to);
      });
    },
    restore(actor: string, id: string): void {
      const secret = get(id);
      if (secret.deletedAt === undefined) refuse('InvalidRequestException', 'it is not scheduled for deletion');
      change('restore', actor, secret, () => {
        secret.deletedAt = undefined;
      });
    },
    tag(actor: string, id: string, set: Readonly<Record<string, string>>): void {
      const secret = open(id);
      change('tag', actor, secret, () => {
        for (const [key, value] of Object.entries(set)) secret.tags.set(key, value);
      });
    },
    untag(actor: string, id: string, keys: readonly string[]): void {
      const secret = open(id);
      change('untag', actor, secret, () => {
        for (const key of keys) secret.tags.delete(key);
      });
    },
    /** With a recovery window. */
    delete(actor: string, id: string): void {
      const secret = open(id);
      change('delete', actor, secret, () => {
        secret.deletedAt = now();
      });
    },
    /** ForceDeleteWithoutRecovery: the name is free at once. */
    remove(actor: string, id: string): void {
      const secret = get(id);
      change('delete', actor, secret, () => {
        secret.exists = false;
      });
    },
    rotate(id: string, on: boolean): void {
      const secret = open(id);
      change('rotate', 'hand', secret, () => {
        secret.rotationEnabled = on;
      });
    },
    /** Leaves `count` versions behind that were written so many ms ago and have no label any more. */
    fill(id: string, count: number, age: number, idOf: (n: number) => string): void {
      const { versions } = get(id);
      for (let n = 0; n < count; n += 1) {
        versions.set(idOf(n), { value: 'old', createdAt: now() - age, labels: new Set() });
      }
    },
    /** Every secret as it was `lag` ms ago; may show what is gone and miss what is new. */
    list: (lag: (secret: Secret) => number): Listed[] =>
      secrets.flatMap((secret) => {
        const then = now() - lag(secret);
        const seen = listed.get(secret)?.findLast(({ at }) => at <= then);
        return seen?.exists === true ? [seen] : [];
      }),
    value(id: string, versionId: string): string {
      const secret = open(id);
      requireTag(secret.tags, rules);
      const version = secret.versions.get(versionId);
      return version === undefined ? refuse('ResourceNotFoundException', 'no such version') : version.value;
    },
  };
}

interface CreateOptions {
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly value?: string;
}

function refuse(name: string, why: string): never {
  throw new AwsError(name, why);
}

function requireTag(tags: ReadonlyMap<string, string>, { requiredTag }: AccountRules): void {
  if (requiredTag === undefined || tags.get(requiredTag[0]) === requiredTag[1]) return;
  refuse('AccessDeniedException', `not allowed without the tag ${requiredTag[0]}`);
}

export const stagesOf = ({ versions }: Secret): Listed['stages'] =>
  Object.fromEntries(
    [...versions].flatMap(([id, { labels }]) => (labels.size > 0 ? [[id, [...labels]] as const] : [])),
  );

export const idAt = ({ versions }: Secret, label: string): string | undefined => {
  for (const [id, { labels }] of versions) if (labels.has(label)) return id;
  return undefined;
};

/** A label stands at one version only. */
function moveLabel({ versions }: Secret, label: string, to: string): void {
  for (const [id, { labels }] of versions) {
    if (id === to) labels.add(label);
    else labels.delete(label);
  }
}

/** AWSPREVIOUS follows by itself to where AWSCURRENT was. */
function moveCurrent(secret: Secret, to: string): void {
  const from = idAt(secret, CURRENT);
  if (from === to) return;
  if (from !== undefined) moveLabel(secret, PREVIOUS, from);
  secret.versions.get(to)?.labels.delete(PREVIOUS);
  moveLabel(secret, CURRENT, to);
}
