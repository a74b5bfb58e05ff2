// From what is so at the moment of sending to a letter in the customer's language.
import { formatMinor } from '../domain/money.ts';
import { type NotificationKind, OPTIONAL_KINDS } from '../domain/notification.ts';
import { de } from './templates/de.ts';
import { en } from './templates/en.ts';
import type { Language } from './templates/template.ts';

export const LANGUAGES: Readonly<Record<string, Language>> = { en, de };

type Money = { readonly minor: number; readonly currency: string };

/**
 * Personal: it leaves the process in a letter only. Instants are ISO 8601 in UTC; a time is told in
 * the zone of the branch where it happens. Null: the letter is not about such a thing.
 */
export type Figures = {
  readonly customer: string;
  readonly number: string;
  readonly class: string;
  readonly pickUpAt: string;
  readonly pickUpBranch: string;
  readonly pickUpZone: string;
  readonly dueAt: string;
  readonly returnBranch: string;
  readonly returnZone: string;
  readonly total: Money;
  readonly invoice: string | null;
  readonly invoiceTotal: Money | null;
  readonly hold: Money | null;
  readonly holdUntil: string | null;
  readonly vehicle: string | null;
  readonly plate: string | null;
  readonly recall: string | null;
};

/** `language` as the customer has it; whoever reads neither of ours is written to in English. */
export function writtenLetter(
  kind: NotificationKind,
  language: string,
  figures: Figures,
): { readonly subject: string; readonly text: string } {
  const tongue = LANGUAGES[language] ?? en;
  const values = said(figures, tongue.locale);
  const { subject, text } = tongue.letters[kind];
  const isOptional = OPTIONAL_KINDS.some((optional) => optional === kind);
  const parts = [tongue.opening, text, tongue.closing, ...(isOptional ? [tongue.decline] : [])];
  return { subject: filled(subject, values), text: filled(parts.join('\n\n'), values) };
}

type Values = Readonly<Record<string, string | null>>;

function said(figures: Figures, locale: string): Values {
  const { pickUpAt, pickUpZone, dueAt, returnZone, holdUntil, ...rest } = figures;
  const { total, invoiceTotal, hold, ...texts } = rest;
  return {
    ...texts,
    pickUpAt: time(pickUpAt, pickUpZone, locale),
    dueAt: time(dueAt, returnZone, locale),
    holdUntil: holdUntil && time(holdUntil, pickUpZone, locale),
    total: amount(total, locale),
    invoiceTotal: invoiceTotal && amount(invoiceTotal, locale),
    hold: hold && amount(hold, locale),
  };
}

function filled(template: string, values: Values): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined || value === null) throw new Error(`A letter has no ${name}.`);
    return value.replaceAll(/\p{Cc}+/gu, ' ');
  });
}

/** With the weekday and the zone's name, which tells apart an hour that comes twice. */
function time(instant: string, timeZone: string, locale: string): string {
  const format = new Intl.DateTimeFormat(locale, {
    timeZone,
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  });
  return format.format(new Date(instant));
}

/** By the text of the exact amount: a number would round beyond 2^53 units. */
function amount({ minor, currency }: Money, locale: string): string {
  const exact = formatMinor(minor, currency) as `${number}`;
  return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(exact);
}
