// What a language has to bring: a letter for each kind, and what stands around all of them.
import type { NotificationKind } from '../../domain/notification.ts';

/** `{name}` stands for a value; notifications/letter.ts lists them. */
export type Template = { readonly subject: string; readonly text: string };

export type Language = {
  /** For amounts and times. */
  readonly locale: string;
  readonly opening: string;
  readonly closing: string;
  /** Below the letters that a customer may decline. */
  readonly decline: string;
  readonly letters: Readonly<Record<NotificationKind, Template>>;
};
