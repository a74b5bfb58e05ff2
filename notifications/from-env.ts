// How a process sends notifications, as its environment says.
import { folderMail } from './folder.ts';
import type { Mail } from './mail.ts';
import { smtpMail } from './smtp.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const LOCAL_FOLDER = '.forecourt/mail';

/**
 * By SMTP where `SMTP_URL` is set (sender `MAIL_FROM`), else as files of `MAIL_FOLDER`. Throws in
 * production when neither is set: customers would hear nothing, and nobody would notice.
 */
export function mailFrom(env: Environment): Mail {
  const { SMTP_URL: url, MAIL_FOLDER: folder } = env;
  const from = env['MAIL_FROM'] || 'forecourt@localhost';
  if (url) return smtpMail(url, from);
  if (env['NODE_ENV'] === 'production' && !folder) {
    throw new Error('NODE_ENV is production, so SMTP_URL or MAIL_FOLDER must be set.');
  }
  return folderMail(folder || LOCAL_FOLDER, from);
}
