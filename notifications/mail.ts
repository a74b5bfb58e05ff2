// The port for letters to people, and what its adapters say of one that did not go out.

/** `messageId` names it to the reader's program, which shows a repeat of it once. */
export type Letter = {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly messageId?: string;
};

/** `send` resolves when the letter was accepted; it throws `LetterNotSent`. */
export type Mail = { readonly send: (letter: Letter) => Promise<void> };

/**
 * `temporary`: it was not accepted and may be tried again; `permanent`: it never will be; `unknown`:
 * it was perhaps accepted, so nobody but a person may send it again.
 */
export type NotSent = 'temporary' | 'permanent' | 'unknown';

/** Says what kind of failure it was, and nothing of the letter: servers repeat addresses. */
export class LetterNotSent extends Error {
  readonly code: string;
  /** What the server answered, such as 550. */
  readonly responseCode: number | null;
  readonly outcome: NotSent;

  constructor(code: string, responseCode: number | null, outcome: NotSent) {
    super('The mail server did not take the letter.');
    this.name = 'LetterNotSent';
    this.code = code;
    this.responseCode = responseCode;
    this.outcome = outcome;
  }
}
