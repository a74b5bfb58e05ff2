// Refuses to start in production with secrets that are missing, short or known to everybody.
import { openEnvelope } from '../db/envelope.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const MIN_SECRET = 32;
const MIN_PASSWORD = 12;
/** Random text has more different characters, even in hex; these are typed or counted, not drawn. */
const MIN_DIFFERENT = 10;
/** Long enough, or delimited, so that what is drawn does not hit upon them. */
const WELL_KNOWN =
  /(^|[-_ ])(demo|test)([-_ ]|$)|change[-_ ]?me|example|secret|password|forecourt|0123456|abcdef/i;

/**
 * Call it before anything listens. Throws one Error that names each fault and never repeats a
 * value. Outside production everything goes: the local stack makes its own secrets.
 */
export function checkBoot(env: Environment): void {
  if (env['NODE_ENV'] !== 'production') return;
  const faults = [
    ...keyFaults('PAYLOAD_KEYS', env['PAYLOAD_KEYS']),
    ...keyFaults('DATA_KEYS', env['DATA_KEYS']),
    ...cookieFaults(env['AUTH_COOKIE_KEYS']),
    ...urlFaults(env['PUBLIC_URL']),
    ...passwordFaults('DATABASE_URL', env['DATABASE_URL']),
    ...storeFaults(env),
    ...(env['DEMO_PASSWORD'] !== undefined ? ['DEMO_PASSWORD: not in production'] : []),
  ];
  if (faults.length === 0) return;
  throw new Error(`NODE_ENV is production, so this process does not start: ${faults.join('; ')}.`);
}

/**
 * Throws when the demo company's people, whose password was printed, could sign in to production,
 * and when the database cannot be asked: they might be there when it is back.
 */
export async function checkPeople(
  env: Environment,
  hasDemoStaff: () => Promise<boolean>,
): Promise<void> {
  if (env['NODE_ENV'] !== 'production') return;
  if (await hasDemoStaff()) {
    throw new Error('NODE_ENV is production, so demo people must have left: see people.staff.');
  }
}

/** Two wants the same form: ids, and 32 random bytes each. */
function keyFaults(name: string, text: string | undefined): readonly string[] {
  if (!text) return [`${name}: is not set`];
  try {
    openEnvelope(text);
  } catch {
    return [`${name}: wants <id>:<base64 of 32 random bytes>, several by comma`];
  }
  const keys = text.split(',').map((entry) => Buffer.from(entry.split(':')[1] ?? '', 'base64'));
  return keys.every(looksDrawn) ? [] : [`${name}: a key is not random`];
}

function cookieFaults(text: string | undefined): readonly string[] {
  if (!text) return ['AUTH_COOKIE_KEYS: is not set'];
  const keys = text.split(',').map((key) => key.trim());
  if (keys.some((key) => Buffer.byteLength(key) < MIN_SECRET)) {
    return [`AUTH_COOKIE_KEYS: a key is shorter than ${MIN_SECRET} bytes`];
  }
  const isWeak = (key: string) => WELL_KNOWN.test(key) || !looksDrawn(Buffer.from(key));
  return keys.some(isWeak) ? ['AUTH_COOKIE_KEYS: a key is not random'] : [];
}

function urlFaults(text: string | undefined): readonly string[] {
  if (!text) return ['PUBLIC_URL: is not set'];
  const isSafe = URL.canParse(text) && new URL(text).protocol === 'https:';
  return isSafe ? [] : ['PUBLIC_URL: is not https://…'];
}

/** Other ways to sign in to the server need no password in the address. */
function passwordFaults(name: string, text: string | undefined): readonly string[] {
  if (!text || !URL.canParse(text)) return [`${name}: is not set`];
  const password = decodeURIComponent(new URL(text).password);
  if (password === '') return [];
  const isWeak = password.length < MIN_PASSWORD || WELL_KNOWN.test(password);
  return isWeak ? [`${name}: its password is short or well known`] : [];
}

/** The default lies in the working directory, which is gone with the container. */
function storeFaults(env: Environment): readonly string[] {
  const isSet = Boolean(env['OBJECT_STORE_BUCKET'] || env['OBJECT_STORE_DIR']);
  return isSet ? [] : ['OBJECT_STORE_DIR: neither it nor OBJECT_STORE_BUCKET is set'];
}

function looksDrawn(key: Uint8Array): boolean {
  return new Set(key).size >= MIN_DIFFERENT;
}
