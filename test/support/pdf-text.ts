// Reads back what a PDF of ours says, line by line, without a reader of PDFs.
import { inflateSync } from 'node:zlib';

/** In the order of drawing: pdfkit writes each line as hex codes of Windows-1252. */
export function pdfText(pdf: Uint8Array): string {
  const bytes = Buffer.from(pdf).toString('latin1');
  const lines: string[] = [];
  for (const [, stream = ''] of bytes.matchAll(/stream\n([\s\S]*?)\nendstream/g)) {
    for (const [, shown = ''] of contentOf(stream).matchAll(/\[(.*?)\] TJ/g)) {
      const codes = [...shown.matchAll(/<([0-9a-f]*)>/g)].map(([, hex = '']) => hex).join('');
      lines.push(new TextDecoder('windows-1252').decode(Buffer.from(codes, 'hex')));
    }
  }
  return lines.join('\n').replaceAll('\u00a0', ' ');
}

function contentOf(stream: string): string {
  try {
    return inflateSync(Buffer.from(stream, 'latin1')).toString('latin1');
  } catch {
    return '';
  }
}
