// Passwords: hashed with Argon2id, compared in constant time, refused when short, long or common.
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ROLES } from '../../domain/people.ts';

export type HashCost = {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
};

/** RFC 9106 section 4, second recommended option. */
export const PRODUCT_COST: HashCost = { memoryKiB: 65_536, passes: 3, lanes: 4 };

const MIN_LENGTH = 12;
/** Long enough for any pass phrase; a bound, because the whole of it is hashed. */
const MAX_LENGTH = 128;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** At 64 MiB each; more at once would only share the same cores. */
const AT_ONCE = 2;
/** Some ten seconds of work; who comes later is told to come again. */
const MAX_WAITING = 40;

export type PasswordFault = 'too-short' | 'too-long' | 'common';

export type Passwords = {
  /** A PHC string. Throws `HashingBusy`. */
  readonly hash: (password: string) => Promise<string>;
  /** Whether it is the password; without a hash it takes the same time and is not. Throws `HashingBusy`. */
  readonly verify: (password: string, phc: string | undefined) => Promise<boolean>;
};

/** More sign-ins at once than there is memory for. */
export class HashingBusy extends Error {
  constructor() {
    super('Too many passwords are being checked.');
    this.name = 'HashingBusy';
  }
}

export function createPasswords(cost: HashCost = PRODUCT_COST): Passwords {
  // Of nobody's password; comparing with it costs what comparing with a person's costs.
  const nobody = phcOf(cost, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));
  return {
    hash: async (password) => {
      const salt = randomBytes(SALT_BYTES);
      return phcOf(cost, salt, await derive(password, salt, cost, HASH_BYTES));
    },
    verify: async (password, phc) => {
      const { salt, hash, cost: its } = parsePhc(phc ?? nobody);
      const same = timingSafeEqual(await derive(password, salt, its, hash.length), hash);
      return same && phc !== undefined;
    },
  };
}

/** What is wrong with a new password, if anything. No rule about its characters: ASVS 6.2.5. */
export async function passwordFault(password: string): Promise<PasswordFault | undefined> {
  const length = [...normal(password)].length;
  if (length < MIN_LENGTH) return 'too-short';
  if (length > MAX_LENGTH) return 'too-long';
  return (await isCommon(password)) ? 'common' : undefined;
}

async function isCommon(password: string): Promise<boolean> {
  const folded = normal(password).toLowerCase();
  const list = await commonPasswords();
  const word = folded.replace(/[^\p{L}]+$/u, '');
  const unit = /^(.+?)\1+$/u.exec(folded)?.[1];
  // `password2026!!` and `qwertyqwerty` are guessed as early as the words themselves.
  return list.has(folded) || list.has(word) || (unit !== undefined && known(list, unit));
}

function known(list: ReadonlySet<string>, unit: string): boolean {
  return [...unit].length < 4 || list.has(unit);
}

/** What is guessed first at a rental company (ASVS 6.1.2): the product, the trade, the roles. */
const OWN_WORDS: readonly string[] = [
  ...['forecourt', 'forecourt demo', 'autovermietung', 'mietwagen', 'leihwagen', 'autoverleih'],
  ...['rent a car', 'car rental', 'vehicle rental', 'rental company', 'rental car', 'fleet'],
  ...ROLES.map((role) => role.replace('-', ' ')),
].flatMap((words) => [' ', '', '-', '_', '.'].map((between) => words.replaceAll(' ', between)));

let common: Promise<ReadonlySet<string>> | undefined;

/** Loaded when the first password is set: two megabytes that most processes never need. */
function commonPasswords(): Promise<ReadonlySet<string>> {
  common ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) =>
      new Set([...dictionary['passwords-common'].map((each) => each.toLowerCase()), ...OWN_WORDS]),
  );
  return common;
}

/** The same password typed on two keyboards is the same bytes (NIST SP 800-63B section 3.1.1.2). */
function normal(password: string): string {
  return password.normalize('NFKC');
}

const argon2id = promisify(argon2);
let running = 0;
const waiting: (() => void)[] = [];

async function derive(
  password: string,
  salt: Buffer,
  cost: HashCost,
  bytes: number,
): Promise<Buffer> {
  const parameters: Argon2Parameters = {
    message: Buffer.from(normal(password)),
    nonce: salt,
    parallelism: cost.lanes,
    tagLength: bytes,
    memory: cost.memoryKiB,
    passes: cost.passes,
  };
  await turn();
  try {
    return Buffer.from(await argon2id('argon2id', parameters));
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

async function turn(): Promise<void> {
  if (running < AT_ONCE) {
    running += 1;
    return;
  }
  if (waiting.length >= MAX_WAITING) throw new HashingBusy();
  await new Promise<void>((resolve) => waiting.push(resolve));
}

function phcOf(cost: HashCost, salt: Buffer, hash: Buffer): string {
  const terms = `m=${cost.memoryKiB},t=${cost.passes},p=${cost.lanes}`;
  return `$argon2id$v=19$${terms}$${unpadded(salt)}$${unpadded(hash)}`;
}

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

function parsePhc(phc: string) {
  const [, memory, passes, lanes, salt, hash] = PHC.exec(phc) ?? [];
  if (salt === undefined || hash === undefined) throw new Error('This is no Argon2id hash.');
  const cost = { memoryKiB: Number(memory), passes: Number(passes), lanes: Number(lanes) };
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
