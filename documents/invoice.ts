// An invoice or credit note as a PDF, in the same layout as the agreement.
import { figuresIn } from './figures.ts';
import { written } from './page.ts';
import { drawPrice, type Priced } from './price.ts';
import { type DocumentLanguage, WORDS } from './words.ts';

/** The customer's name is in here: it leaves the process as a document only. */
export type InvoiceData = Priced & {
  readonly number: string;
  /** EN 16931: 381 is a credit note. */
  readonly kind: number;
  readonly issueDate: string;
  /** The last day to pay it; null for what is not to be paid. */
  readonly payableBy: string | null;
  readonly issuer: string;
  readonly customer: string;
  readonly customerTaxId: string | null;
  readonly rentalNumber: string | null;
  /** The invoice that a credit note corrects (EN 16931 BT-25, BT-26). */
  readonly preceding: { readonly number: string; readonly issueDate: string } | null;
  /** Of the total, invoiced before and so not to be paid again. */
  readonly prepaidMinor: number;
  readonly serviceFrom: string;
  readonly serviceTo: string;
  /** Of the legal entity. */
  readonly zone: string;
};

const CREDIT_NOTE = 381;

export function invoicePdf(data: InvoiceData, language: DocumentLanguage): Promise<Uint8Array> {
  const words = WORDS[language];
  const { time, date, amount } = figuresIn(language, data.currency);
  const kind = data.kind === CREDIT_NOTE ? words.creditNote : words.invoice;
  const title = `${kind} ${data.number}`;
  const foot = (page: number, pages: number) =>
    `${title} · ${words.page} ${page} ${words.of} ${pages}`;
  const writtenAt = `${data.issueDate}T00:00:00Z`;
  return written({ title, language, writtenAt, foot }, (sheet) => {
    sheet.title(title, `${words.issued} ${date(data.issueDate)}`);
    sheet.section(words.parties);
    sheet.value(words.lessor, data.issuer);
    sheet.value(words.customer, data.customer);
    if (data.customerTaxId !== null) sheet.value(words.taxId, data.customerTaxId);
    if (data.preceding !== null) {
      const { number, issueDate } = data.preceding;
      sheet.value(words.corrects, `${words.invoice} ${number}, ${date(issueDate)}`);
    }
    if (data.rentalNumber !== null) sheet.value(words.rental, data.rentalNumber);
    const [from, to] = [time(data.serviceFrom, data.zone), time(data.serviceTo, data.zone)];
    sheet.value(words.service, `${from} – ${to}`);
    drawPrice(sheet, data, language);
    if (data.prepaidMinor !== 0) {
      sheet.value(words.prepaid, amount(data.prepaidMinor));
      sheet.value(words.toPay, amount(data.totalMinor - data.prepaidMinor));
    }
    if (data.payableBy === null || data.totalMinor === data.prepaidMinor) return;
    sheet.value(words.payableBy, date(data.payableBy));
  });
}
