// Letters to people on their ways in, kept in a table where no mail server is configured.
import type { Db } from '../../db/client.ts';
import { keepMail } from '../../db/commands/credentials.ts';
import type { Mail } from '../../notifications/mail.ts';

/** Sends nothing: what it would have sent is in people.mail. */
export function simulatedMail(db: Db): Mail {
  return { send: (letter) => keepMail(db, letter) };
}
