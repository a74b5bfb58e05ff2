// Makes images harmless: read by a decoder and written anew, without metadata or hidden content.
import type { Sharp } from 'sharp';

/** Wider or higher ones are made smaller; the number on a licence plate stays readable. */
const MAX_SIDE_PX = 4_096;
/** A few bytes may claim to be a huge picture; cameras have up to some 50 million pixels. */
const MAX_INPUT_PX = 64_000_000;
const JPEG_QUALITY = 85;

export type ImageType = 'image/jpeg' | 'image/png' | 'image/webp';

/** It does not open as what it says it is, or is a bomb. */
export class ImageRefused extends Error {
  constructor(options: ErrorOptions) {
    super('The image cannot be read.', options);
    this.name = 'ImageRefused';
  }
}

/** The same picture, upright, in the same format. Throws `ImageRefused`. */
export async function reencoded(bytes: Uint8Array, type: ImageType): Promise<Uint8Array> {
  // Loaded by the first picture: a process that sees none is spared its memory.
  const { default: sharp } = await import('sharp');
  const picture = sharp(bytes, { limitInputPixels: MAX_INPUT_PX, failOn: 'error' })
    .autoOrient()
    .resize({ width: MAX_SIDE_PX, height: MAX_SIDE_PX, fit: 'inside', withoutEnlargement: true });
  try {
    return await inTurn(() => inFormat(picture, type).toBuffer());
  } catch (cause) {
    throw new ImageRefused({ cause });
  }
}

let last: Promise<unknown> = Promise.resolve();

/** One at a time in a process: a large one takes hundreds of megabytes for a moment. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(work);
  last = mine.catch(() => undefined);
  return mine;
}

function inFormat(picture: Sharp, type: ImageType): Sharp {
  switch (type) {
    case 'image/jpeg':
      return picture.jpeg({ quality: JPEG_QUALITY });
    case 'image/png':
      return picture.png();
    case 'image/webp':
      return picture.webp();
    default:
      return type satisfies never;
  }
}
