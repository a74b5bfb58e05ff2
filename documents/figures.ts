// Amounts, rates and times as our documents write them.
import { formatMinor } from '../domain/money.ts';
import { type DocumentLanguage, WORDS } from './words.ts';

export type Figures = {
  readonly amount: (minor: number) => string;
  /** Hundredths of a per cent. */
  readonly rate: (bp: number) => string;
  readonly count: (n: number) => string;
  /** An instant by the clocks of a zone, which is named because an hour may come twice. */
  readonly time: (instant: string, zone: string) => string;
  /** A local date, `YYYY-MM-DD`. */
  readonly date: (day: string) => string;
};

export function figuresIn(language: DocumentLanguage, currency: string): Figures {
  const { locale } = WORDS[language];
  const money = new Intl.NumberFormat(locale, { style: 'currency', currency });
  const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 2 });
  const plain = new Intl.NumberFormat(locale);
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' });
  return {
    // By the text of the exact amount: a number would round beyond 2^53 units.
    amount: (minor) => money.format(formatMinor(minor, currency) as `${number}`),
    rate: (bp) => share.format(bp / 10_000),
    count: (n) => plain.format(n),
    time: (instant, timeZone) =>
      new Intl.DateTimeFormat(locale, {
        timeZone,
        day: 'numeric',
        month: 'long',
        year: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        timeZoneName: 'short',
      }).format(new Date(instant)),
    date: (text) => day.format(new Date(`${text}T00:00:00Z`)),
  };
}
