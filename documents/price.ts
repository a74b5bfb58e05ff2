// The lines, taxes and sums of a price, as agreement and invoice both show them.
import { figuresIn } from './figures.ts';
import { lineName } from './line-names.ts';
import type { Column, Sheet } from './page.ts';
import { type DocumentLanguage, WORDS } from './words.ts';

type Line = {
  readonly code: string;
  readonly quantity: number;
  readonly unitMinor: number;
  readonly netMinor: number;
  readonly vatRateBp: number;
};

/** Amounts are minor units of `currency`. */
export type Priced = {
  readonly currency: string;
  readonly lines: readonly Line[];
  readonly vat: readonly {
    readonly rateBp: number;
    readonly baseMinor: number;
    readonly vatMinor: number;
  }[];
  readonly netMinor: number;
  readonly totalMinor: number;
};

const COLUMNS: readonly Column[] = [
  { share: 46 },
  { share: 12, align: 'right' },
  { share: 15, align: 'right' },
  { share: 12, align: 'right' },
  { share: 15, align: 'right' },
];

export function drawPrice(sheet: Sheet, priced: Priced, language: DocumentLanguage): void {
  const words = WORDS[language];
  const { amount, rate, count } = figuresIn(language, priced.currency);
  sheet.section(words.price);
  const head = [words.what, words.quantity, words.each, words.vat, words.net];
  const rows = priced.lines.map((line) => [
    lineName(line.code, language),
    count(line.quantity),
    amount(line.unitMinor),
    rate(line.vatRateBp),
    amount(line.netMinor),
  ]);
  sheet.table(COLUMNS, head, rows);
  sheet.value(words.net, amount(priced.netMinor));
  for (const { rateBp, baseMinor, vatMinor } of priced.vat) {
    const share = `${amount(vatMinor)} ${words.onNet} ${amount(baseMinor)}`;
    sheet.value(`${words.vat} ${rate(rateBp)}`, share);
  }
  sheet.value(words.total, amount(priced.totalMinor));
}
