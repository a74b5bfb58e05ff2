// The layout that our documents share: headings, labelled values, tables and signatures on A4.
import type PDFDocument from 'pdfkit';

const MARGIN = 50;
const PLAIN = 'Helvetica';
const BOLD = 'Helvetica-Bold';
const LINE_GAP = 3;
/** Below it the foot of the page begins. */
const FOOT = 90;

export type Column = { readonly share: number; readonly align?: 'left' | 'right' };

export type Sheet = {
  readonly title: (text: string, below: string) => void;
  readonly section: (text: string) => void;
  readonly value: (label: string, text: string) => void;
  readonly paragraph: (text: string) => void;
  readonly table: (
    columns: readonly Column[],
    head: readonly string[],
    rows: readonly (readonly string[])[],
  ) => void;
  /** One place to sign each, side by side. */
  readonly signatures: (labels: readonly string[]) => void;
};

export type About = {
  readonly title: string;
  readonly language: string;
  /** ISO 8601: the same facts of the same moment are the same bytes. */
  readonly writtenAt: string;
  /** For the foot of each page, from its number and how many there are. */
  readonly foot: (page: number, pages: number) => string;
};

/** The bytes of a PDF. The standard fonts need no embedding; see `printable` for what they have. */
export async function written(about: About, draw: (sheet: Sheet) => void): Promise<Uint8Array> {
  // Loaded by the first document: a process that draws none is spared its memory.
  const { default: Document } = await import('pdfkit');
  const doc = new Document({
    size: 'A4',
    margin: MARGIN,
    lang: about.language,
    bufferPages: true,
    info: { Title: printable(about.title), CreationDate: new Date(about.writtenAt) },
  });
  const parts: Buffer[] = [];
  const whole = new Promise<Uint8Array>((resolve, reject) => {
    doc.on('data', (part: Buffer) => parts.push(part));
    doc.on('end', () => resolve(Buffer.concat(parts)));
    doc.on('error', reject);
  });
  draw(sheetOf(doc));
  const { count } = doc.bufferedPageRange();
  for (let n = 0; n < count; n += 1) {
    doc.switchToPage(n);
    const place = [MARGIN, doc.page.height - MARGIN - 12] as const;
    const text = printable(about.foot(n + 1, count));
    doc
      .font(PLAIN)
      .fontSize(8)
      .text(text, ...place, { lineBreak: false });
  }
  doc.end();
  return whole;
}

function sheetOf(doc: PDFDocument): Sheet {
  const width = doc.page.width - 2 * MARGIN;
  const room = (needed: number) => {
    if (doc.y + needed > doc.page.height - FOOT) doc.addPage();
  };
  const cells = (columns: readonly Column[], texts: readonly string[], font: string) => {
    doc.font(font).fontSize(9);
    const all = columns.reduce((sum, { share }) => sum + share, 0);
    const shown = columns.map(({ share, align = 'left' }, n) => ({
      text: printable(texts[n] ?? ''),
      options: { width: (width * share) / all - 6, align },
    }));
    const height = Math.max(...shown.map(({ text, options }) => doc.heightOfString(text, options)));
    room(height);
    const { y } = doc;
    let x = MARGIN;
    for (const { text, options } of shown) {
      doc.text(text, x, y, options);
      x += options.width + 6;
    }
    doc.x = MARGIN;
    doc.y = y + height + LINE_GAP;
  };
  const rule = () => {
    doc
      .lineWidth(0.5)
      .moveTo(MARGIN, doc.y)
      .lineTo(MARGIN + width, doc.y)
      .stroke();
    doc.y += LINE_GAP;
  };
  const LABELLED = [{ share: 30 }, { share: 70 }];

  return {
    title: (text, below) => {
      doc.font(BOLD).fontSize(17).text(printable(text), MARGIN, doc.y, { width });
      doc
        .font(PLAIN)
        .fontSize(10)
        .text(printable(below), MARGIN, doc.y + 2, { width });
    },
    section: (text) => {
      room(50);
      doc
        .font(BOLD)
        .fontSize(11)
        .text(printable(text), MARGIN, doc.y + 12, { width });
      rule();
    },
    value: (label, text) => cells(LABELLED, [label, text], PLAIN),
    paragraph: (text) => cells([{ share: 1 }], [text], PLAIN),
    table: (columns, head, rows) => {
      cells(columns, head, BOLD);
      for (const row of rows) cells(columns, row, PLAIN);
    },
    signatures: (labels) => {
      room(70);
      const [y, each] = [doc.y + 45, width / labels.length];
      doc.font(PLAIN).fontSize(9);
      labels.forEach((label, n) => {
        const x = MARGIN + n * each;
        doc
          .lineWidth(0.5)
          .moveTo(x, y)
          .lineTo(x + each - 20, y)
          .stroke();
        doc.text(printable(label), x, y + 4, { width: each - 20 });
      });
    },
  };
}

/** What has no two parts in Unicode, by what people write instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  Ł: 'L',
  ł: 'l',
  Đ: 'D',
  đ: 'd',
  ı: 'i',
  '\u202f': ' ',
  '\u2212': '-',
};

/**
 * Text in the letters of the standard fonts (Windows-1252: western Europe and the euro sign); others
 * lose their accents, and what is left is a question mark.
 */
export function printable(text: string): string {
  return Array.from(text.normalize('NFC'), (character) => {
    if (isKnown(character)) return character;
    const [base = '?'] = INSTEAD[character] ?? character.normalize('NFD');
    return isKnown(base) ? base : '?';
  }).join('');
}

/** Those of Windows-1252 that are not in Latin-1. */
const BEYOND_LATIN = '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ';

function isKnown(character: string): boolean {
  if (BEYOND_LATIN.includes(character)) return true;
  return /^[\n\u0020-\u007e\u00a0-\u00ff]$/.test(character);
}
