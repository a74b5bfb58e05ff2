// Letters to people: by SMTP, or kept in a table where no mail server is configured.
import { createTransport } from 'nodemailer';
import type { Db } from '../../db/client.ts';
import { keepMail } from '../../db/commands/credentials.ts';
import { isOnThisMachine } from './loopback.ts';

export type Letter = { readonly to: string; readonly subject: string; readonly text: string };

export type Mail = { readonly send: (letter: Letter) => Promise<void> };

/** How long a mail server may be silent; nobody waits for a letter, but process and socket do. */
const SILENCE_MS = 10_000;

/** Says what kind of failure it was, and nothing of the letter: servers repeat addresses. */
export class LetterNotSent extends Error {
  readonly code: string;
  /** What the server answered, such as 550. */
  readonly responseCode: number | null;

  constructor(code: string, responseCode: number | null) {
    super('The mail server did not take the letter.');
    this.name = 'LetterNotSent';
    this.code = code;
    this.responseCode = responseCode;
  }
}

/**
 * `url` as nodemailer reads it, e.g. `smtps://user:password@mail.example.com`. By `smtp:` the
 * connection must turn to TLS before anything is said, unless the server is on this machine: an
 * offer of TLS is easily taken out on the way. `send` throws `LetterNotSent`.
 */
export function smtpMail(url: string, from: string): Mail {
  const defaults = {
    connectionTimeout: SILENCE_MS,
    greetingTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    requireTLS: !isOnThisMachine(url),
  };
  // What the address says goes over these.
  const transport = createTransport({ ...defaults, url }, { from });
  return {
    send: async ({ to, subject, text }) => {
      try {
        await transport.sendMail({ to, subject, text });
      } catch (error) {
        const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
        throw new LetterNotSent(
          typeof code === 'string' ? code : 'unknown',
          typeof responseCode === 'number' ? responseCode : null,
        );
      }
    },
  };
}

/** Sends nothing: what it would have sent is in people.mail. */
export function simulatedMail(db: Db): Mail {
  return { send: (letter) => keepMail(db, letter) };
}
