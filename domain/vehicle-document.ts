// Papers and photos of vehicles: their kinds, the files that are taken, and what an expiry does.

export const DOCUMENT_KINDS = [
  'registration',
  'insurance',
  'inspection',
  'certificate',
  'photo',
  'other',
] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export const DOCUMENT_MEDIA_TYPES = [
  'image/jpeg',
  'image/png',
  'image/webp',
  'application/pdf',
] as const;
export type DocumentMediaType = (typeof DOCUMENT_MEDIA_TYPES)[number];

/** Of the file as it is sent. */
export const MAX_DOCUMENT_BYTES = 10 * 1_024 * 1_024;

/** Without a valid paper of these kinds a vehicle may not be on the road: the hold's type. */
const HOLDS: Readonly<Record<DocumentKind, 'registration' | 'certificate' | null>> = {
  registration: 'registration',
  insurance: 'certificate',
  inspection: 'certificate',
  certificate: 'certificate',
  photo: null,
  other: null,
};

/** The type of the hold that its expiry makes; null when it makes none. */
export function holdOnExpiry(kind: DocumentKind): 'registration' | 'certificate' | null {
  return HOLDS[kind];
}

type Signature = { readonly type: DocumentMediaType; readonly bytes: string; readonly at: number };

/** The first bytes of each format (WHATWG MIME Sniffing, section 6; PDF 32000-1, 7.5.2). */
const SIGNATURES: readonly Signature[] = [
  { type: 'image/jpeg', bytes: '\xff\xd8\xff', at: 0 },
  { type: 'image/png', bytes: '\x89PNG\r\n\x1a\n', at: 0 },
  { type: 'image/webp', bytes: 'WEBPVP', at: 8 },
  { type: 'application/pdf', bytes: '%PDF-', at: 0 },
];

/** What a file is by its content, whatever it is called; null for anything that is not taken. */
export function sniffedType(file: Uint8Array): DocumentMediaType | null {
  const found = SIGNATURES.find(({ bytes, at }) => startsWith(file, bytes, at));
  if (found?.type === 'image/webp' && !startsWith(file, 'RIFF', 0)) return null;
  return found?.type ?? null;
}

function startsWith(file: Uint8Array, bytes: string, at: number): boolean {
  if (file.length < at + bytes.length) return false;
  return [...bytes].every((character, n) => file[at + n] === character.charCodeAt(0));
}
