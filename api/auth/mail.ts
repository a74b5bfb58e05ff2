// Letters to people: by SMTP, or kept in a table where no mail server is configured.
import { createTransport } from 'nodemailer';
import type { Db } from '../../db/client.ts';
import { keepMail } from '../../db/commands/credentials.ts';

export type Letter = { readonly to: string; readonly subject: string; readonly text: string };

export type Mail = { readonly send: (letter: Letter) => Promise<void> };

/** `url` as nodemailer reads it, e.g. `smtps://user:password@mail.example.com`. */
export function smtpMail(url: string, from: string): Mail {
  const transport = createTransport(url, { from });
  return {
    send: async ({ to, subject, text }) => {
      await transport.sendMail({ to, subject, text });
    },
  };
}

/** Sends nothing: what it would have sent is in people.mail. */
export function simulatedMail(db: Db): Mail {
  return { send: (letter) => keepMail(db, letter) };
}
