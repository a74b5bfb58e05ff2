// The letters: every kind in every language, with the figures of the customer's rental.
import { mkdtemp, readdir, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isTooLate, NOTIFICATION_KINDS, pauseAfter } from '../../domain/notification.ts';
import { folderMail } from '../../notifications/folder.ts';
import { mailFrom } from '../../notifications/from-env.ts';
import { type Figures, LANGUAGES, writtenLetter } from '../../notifications/letter.ts';
import { en } from '../../notifications/templates/en.ts';

const FIGURES: Figures = {
  customer: 'Ada Planted',
  number: 'RA-1000',
  class: 'Compact',
  pickUpAt: '2027-05-03T08:00:00.000Z',
  pickUpBranch: 'Wien Mitte',
  pickUpZone: 'Europe/Vienna',
  dueAt: '2027-10-31T01:30:00.000Z',
  returnBranch: 'Lisboa',
  returnZone: 'Europe/Lisbon',
  total: { minor: 123_456, currency: 'EUR' },
  invoice: 'INV-2027-000001',
  invoiceTotal: { minor: 1_234_567, currency: 'KWD' },
  hold: { minor: 50_000, currency: 'JPY' },
  holdUntil: '2027-05-08T08:00:00.000Z',
  vehicle: 'Skoda Octavia',
  plate: 'W-12345',
  recall: 'Airbag inflator',
};

const fields = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();

test('each language has each letter, and tells the same in it', () => {
  expect(Object.keys(LANGUAGES)).toEqual(['en', 'de']);
  for (const { letters } of Object.values(LANGUAGES)) {
    expect(Object.keys(letters)).toEqual([...NOTIFICATION_KINDS]);
    for (const kind of NOTIFICATION_KINDS) {
      const [one, other] = [letters[kind], en.letters[kind]];
      expect([kind, fields(one.subject)]).toEqual([kind, fields(other.subject)]);
      expect([kind, fields(one.text)]).toEqual([kind, fields(other.text)]);
    }
  }
});

test('each letter can be written, and names the rental', () => {
  for (const language of Object.keys(LANGUAGES)) {
    for (const kind of NOTIFICATION_KINDS) {
      const { subject, text } = writtenLetter(kind, language, FIGURES);
      expect(`${subject}\n${text}`).not.toMatch(/[{}]|undefined|null/);
      expect(`${subject}\n${text}`).toContain('RA-1000');
      expect(text).toContain('Ada Planted');
    }
  }
});

test('times are those of the branch, also in an hour that comes twice; amounts its currency’s', () => {
  const english = writtenLetter('confirmation', 'en', FIGURES).text;
  expect(english).toContain('Pick-up: Mon, 3 May 2027 at 10:00 CEST, Wien Mitte');
  expect(english).toContain('Return: Sun, 31 October 2027 at 01:30 WET, Lisboa');
  expect(english).toContain('Price: €1,234.56');
  const german = writtenLetter('confirmation', 'de', FIGURES).text;
  expect(german).toContain('Abholung: Mo., 3. Mai 2027 um 10:00 MESZ');
  expect(german).toMatch(/Preis: €\s1\.234,56/);
  expect(writtenLetter('invoice', 'en', FIGURES).text).toMatch(/KWD\s1,234\.567/);
  expect(writtenLetter('deposit-released', 'en', FIGURES).text).toContain('¥50,000');
  const before = { ...FIGURES, returnZone: 'Europe/Vienna', dueAt: '2027-10-31T00:30:00.000Z' };
  expect(writtenLetter('reminder', 'en', before).text).toContain('02:30 CEST');
  const after = { ...before, dueAt: '2027-10-31T01:30:00.000Z' };
  expect(writtenLetter('reminder', 'en', after).text).toContain('02:30 CET');
});

test('who reads neither language is written to in English', () => {
  expect(writtenLetter('overdue', 'hu', FIGURES)).toEqual(writtenLetter('overdue', 'en', FIGURES));
});

test('only what may be declined says that it may', () => {
  const saying = NOTIFICATION_KINDS.filter((kind) =>
    writtenLetter(kind, 'en', FIGURES).text.includes(en.decline),
  );
  expect(saying).toEqual(['reminder', 'deposit-released']);
});

test('a letter with a figure missing is not written', () => {
  expect(() => writtenLetter('invoice', 'en', { ...FIGURES, invoice: null })).toThrow('no invoice');
});

test('tries that are refused for now come less and less often, and end within a day', () => {
  const pauses = Array.from({ length: 12 }, (_, n) => pauseAfter(n + 1));
  const minutes = pauses.map((pause) => pause && pause / 60_000);
  expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, null]);
});

test('the folder keeps each letter as a file that is whole, for us alone', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'forecourt-mail-')), 'letters');
  const letter = { to: 'ada@planted.example', subject: 'Grüße\r\nBcc: eve@x', text: 'Hello' };
  await folderMail(folder, 'desk@rental.example').send({ ...letter, messageId: '<1@x>' });
  const [name = '', ...others] = await readdir(folder);
  expect([name.endsWith('.eml'), others]).toEqual([true, []]);
  const text = await readFile(join(folder, name), 'utf8');
  expect(text).toContain('To: ada@planted.example\nSubject: Grüße Bcc: eve@x\n');
  expect(text).toContain('\nMessage-ID: <1@x>\n');
  expect(text.endsWith('\n\nHello\n')).toBe(true);
  expect((await stat(join(folder, name))).mode & 0o077).toBe(0);
});

test('in production a way to send must be named', () => {
  expect(() => mailFrom({ NODE_ENV: 'production' })).toThrow('SMTP_URL or MAIL_FOLDER');
  for (const env of [{ SMTP_URL: 'smtps://mail.rental.example' }, { MAIL_FOLDER: '/tmp/x' }]) {
    expect(mailFrom({ NODE_ENV: 'production', ...env })).toHaveProperty('send');
  }
});

test('after a day it is too late for all letters but invoices and recalls', () => {
  const [at, soon, late] = ['2027-05-03T08:00:00Z', '2027-05-04T08:00:00Z', '2027-05-04T08:00:01Z'];
  expect(NOTIFICATION_KINDS.filter((kind) => isTooLate(kind, at, soon))).toEqual([]);
  const inTime = NOTIFICATION_KINDS.filter((kind) => !isTooLate(kind, at, late));
  expect(inTime).toEqual(['invoice', 'recall']);
});
