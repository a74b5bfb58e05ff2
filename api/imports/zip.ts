// Reads a zip archive with a limit on what comes out of it, whatever its directory claims.
import { inflateRawSync } from 'node:zlib';

/** Far above a spreadsheet of 10,000 vehicles, far below what hurts. */
const MAX_ENTRIES = 200;
const MAX_UNPACKED_BYTES = 64 * 1_048_576;

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const ENCRYPTED = 1;
const [STORED, DEFLATED] = [0, 8];

/** The archive is broken, not as it says, or too much: `message` is for people. */
export class ZipRefused extends Error {}

/** The entries by name, unpacked. Throws ZipRefused. */
export function unzip(bytes: Buffer): ReadonlyMap<string, Buffer> {
  try {
    return entriesOf(bytes);
  } catch (error) {
    if (error instanceof ZipRefused) throw error;
    if ((error as { readonly code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooMuch();
    throw new ZipRefused('The file is no whole zip archive.');
  }
}

function entriesOf(bytes: Buffer): ReadonlyMap<string, Buffer> {
  const end = endOf(bytes);
  const count = bytes.readUInt16LE(end + 10);
  if (count > MAX_ENTRIES) throw new ZipRefused('The archive has too many files.');
  const entries = new Map<string, Buffer>();
  let at = bytes.readUInt32LE(end + 16);
  let room = MAX_UNPACKED_BYTES;
  for (let n = 0; n < count; n += 1) {
    if (bytes.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new ZipRefused('The archive is broken.');
    const nameBytes = bytes.readUInt16LE(at + 28);
    const name = bytes.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes);
    // What reads the archive after this must find the same in it.
    if (entries.has(name)) throw new ZipRefused('The archive has a file twice.');
    const content = contentOf(bytes, at, room);
    room -= content.length;
    entries.set(name, content);
    at += ENTRY_BYTES + nameBytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

function endOf(bytes: Buffer): number {
  const first = Math.max(0, bytes.length - END_BYTES - MAX_COMMENT_BYTES);
  for (let at = bytes.length - END_BYTES; at >= first; at -= 1) {
    if (bytes.readUInt32LE(at) === END_SIGNATURE) return at;
  }
  throw new ZipRefused('The file is no whole zip archive.');
}

/** `at` is the entry of the directory; its sizes are believed only when they come true. */
function contentOf(bytes: Buffer, at: number, room: number): Buffer {
  if ((bytes.readUInt16LE(at + 8) & ENCRYPTED) !== 0) {
    throw new ZipRefused('The file is encrypted.');
  }
  const method = bytes.readUInt16LE(at + 10);
  const [packed, unpacked] = [bytes.readUInt32LE(at + 20), bytes.readUInt32LE(at + 24)];
  if (unpacked > room) throw tooMuch();
  const local = bytes.readUInt32LE(at + 42);
  if (bytes.readUInt32LE(local) !== LOCAL_SIGNATURE) throw new ZipRefused('The archive is broken.');
  const start =
    local + LOCAL_BYTES + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  const data = bytes.subarray(start, start + packed);
  if (method !== STORED && method !== DEFLATED) {
    throw new ZipRefused('The archive is packed in an unusual way.');
  }
  const content =
    method === STORED ? data : inflateRawSync(data, { maxOutputLength: Math.max(1, room) });
  if (content.length !== unpacked) throw new ZipRefused('The archive is not as it says.');
  return content;
}

function tooMuch(): ZipRefused {
  const mebibytes = MAX_UNPACKED_BYTES / 1_048_576;
  return new ZipRefused(`Unpacked, the file has more than ${mebibytes} MiB.`);
}
