// Letters as files of a folder, for machines without a mail server.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Letter, LetterNotSent, type Mail } from './mail.ts';

/** One file a letter, readable as a whole from the moment that it is there, and by us alone. */
export function folderMail(folder: string, from: string): Mail {
  return {
    send: async (letter) => {
      const now = new Date();
      const name = `${now.toISOString().replaceAll(':', '-')}-${crypto.randomUUID()}.eml`;
      const unfinished = join(folder, `.${name}`);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(unfinished, written(letter, from, now), { mode: 0o600 });
        await rename(unfinished, join(folder, name));
      } catch (error) {
        const { code = 'unknown' } = error as { readonly code?: string };
        throw new LetterNotSent(code, null, 'temporary');
      }
    },
  };
}

function written({ to, subject, text, messageId }: Letter, from: string, now: Date): string {
  const head = {
    From: from,
    To: to,
    Subject: subject,
    Date: now.toUTCString(),
    ...(messageId && { 'Message-ID': messageId }),
    'Content-Type': 'text/plain; charset=utf-8',
  };
  // Each field is one line, whatever a name or title holds.
  const lines = Object.entries(head).map(([k, v]) => `${k}: ${v.replaceAll(/[\r\n]+/g, ' ')}`);
  return `${lines.join('\n')}\n\n${text}\n`;
}
