// Small files of every kind that vehicles have, and some that pretend to be.
import sharp from 'sharp';

export const PDF = Buffer.from('%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<<>>\n%%EOF\n');

/** A picture with a camera's metadata: whose it is, and where it was taken. */
export function photo(format: 'jpeg' | 'png' | 'webp', width = 64, height = 48): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#c02020' } })
    .withExif({ IFD0: { Artist: 'Ada Planted', Copyright: 'Planted' } })
    .toFormat(format)
    .toBuffer();
}

/** A PNG of some kilobytes that opens into 81 million pixels. */
export function bomb(): Promise<Buffer> {
  return photo('png', 9_000, 9_000);
}
