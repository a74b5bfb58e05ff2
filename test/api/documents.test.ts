// Documents for people: what agreements and invoices say, whom they are shown to, what is kept.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { transact } from '../../db/client.ts';
import { issueCreditNote } from '../../db/commands/credit-notes.ts';
import { createCustomer } from '../../db/commands/customers.ts';
import { expectFile, removeNotedFiles } from '../../db/commands/file-removals.ts';
import { invoicePdf } from '../../documents/invoice.ts';
import { printable } from '../../documents/page.ts';
import { expectProblem, SOMEBODY, type TestApi, testApi } from '../support/api.ts';
import { type DamageDesk, DENT, damageDesk } from '../support/damage-desk.ts';
import { AGENT, hoursFromNow } from '../support/fleet.ts';
import { pdfText } from '../support/pdf-text.ts';
import { customerPerson, plantStaff, tokenOf } from '../support/people.ts';
import { backOf, OUT } from '../support/rental-desk.ts';

let api: TestApi;
let desk: DamageDesk;
beforeAll(async () => {
  api = await testApi();
  desk = await damageDesk(api.database);
  await sql`update rentals.customer set name = 'Jürgen Łukasiewicz', language = 'de'
    where id = ${desk.rentals.customerId}`.execute(api.database.owner);
});

async function fetched(path: string, token?: string) {
  const bearer = token ?? (await tokenOf(await api.person(SOMEBODY)));
  const headers = { authorization: `Bearer ${bearer}` };
  const response = await fetch(`${api.url}/api/v1${path}`, { headers });
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function agreementOf(id: string, query = ''): Promise<string> {
  const { response, bytes } = await fetched(`/rentals/${id}/agreement${query}`);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/pdf']);
  return pdfText(bytes);
}

function dayOf(instant: string, locale: string): string {
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'Europe/Vienna' });
  return day.format(new Date(instant));
}

describe('the agreement', () => {
  test('is there from the hand-over on and says what was agreed, in both languages', async () => {
    const rental = await desk.rentals.reserved(hoursFromNow(0), hoursFromNow(72));
    expectProblem(
      await api.call('GET', `/api/v1/rentals/${rental.id}/agreement`),
      404,
      'not-found',
    );
    await desk.inspected(rental, 'out', { marks: [DENT] });
    await desk.rentals.record(rental, { ...OUT, delayedCharges: true });
    const german = await agreementOf(rental.id);
    const [line] = rental.price.lines;
    expect(german).toContain(`Mietvertrag ${rental.number}`);
    for (const said of [
      ...['Forecourt Austria', 'Jürgen Lukasiewicz', 'Skoda Octavia', 'Compact'],
      ...[
        dayOf(rental.pickUpAt, 'de-AT'),
        dayOf(rental.dueAt, 'de-AT'),
        '2 000 km',
        '8/8 (Achtel)',
      ],
      ...['roof: 1 × dent (severe)', 'Für den Vermieter', '€ 180,00'],
      ...['Belastungen nach der Rückgabe', 'Tage ab der Rückgabe: 90'],
      line?.code === 'time.day' ? 'Miete, Tage' : 'Miete',
    ]) {
      expect(german).toContain(said);
    }
    expect(german).toMatch(/ um \d\d:\d\d MES?Z, /);
    const english = await agreementOf(rental.id, '?language=en');
    expect(english).toContain(dayOf(rental.dueAt, 'en-GB'));
    expect(english).toMatch(/ at \d\d:\d\d CES?T, /);
    expect(english).toContain('€180.00');
  });

  test('is one document a version: kept as first written, and new when the terms change', async () => {
    const rental = await desk.rentals.handedOut();
    const first = await agreementOf(rental.id);
    const due = hoursFromNow(24 * 9);
    await desk.rentals.record(rental, { type: 'extend', dueAt: due });
    const out = await desk.rentals.read(rental.id);
    expect(await agreementOf(rental.id)).toContain('Fassung 2');
    await desk.rentals.record(out, backOf(out));
    expect(await agreementOf(rental.id)).toContain('Fassung 2');
    const again = await agreementOf(rental.id, '?version=1');
    expect([again, first]).toEqual([first, expect.stringContaining('Fassung 1')]);
    const { rows } = await sql`select version, language from rentals.agreement_file
      where rental_id = ${rental.id} order by version`.execute(api.database.owner);
    expect(rows).toEqual([
      { version: 1, language: 'de' },
      { version: 2, language: 'de' },
    ]);
    const missing = await api.call('GET', `/api/v1/rentals/${rental.id}/agreement?version=3`);
    expectProblem(missing, 404, 'not-found');
    const change = sql`update rentals.agreement set version = 9 where rental_id = ${rental.id}`;
    await expect(change.execute(api.database.owner)).rejects.toThrow('What was agreed stays.');
  });

  test('is shown to its renter and its branches, and is not there for others', async () => {
    const rental = await desk.rentals.handedOut();
    const path = `/rentals/${rental.id}/agreement`;
    const stranger = uuidv7();
    await createCustomer(api.database.db, AGENT, { id: stranger, name: 'Somebody else' });
    const asCustomer = (id: string) => customerPerson(api.database.owner, id).then(tokenOf);
    const away = await plantStaff(api.database.owner, {
      roles: ['counter-agent'],
      branches: ['NONE'],
    });
    const statuses = [
      await fetched(path, await asCustomer(desk.rentals.customerId)),
      await fetched(path, await asCustomer(stranger)),
      await fetched(path, await tokenOf(away)),
    ].map(({ response }) => response.status);
    expect(statuses).toEqual([200, 404, 404]);
  });

  test('names the plate that the vehicle had then', async () => {
    const rental = await desk.rentals.handedOut();
    const { rows } = await sql<{ plate: string }>`select plate from vehicles.vehicle
      where id = ${rental.vehicleId}`.execute(api.database.owner);
    await sql`update vehicles.vehicle set plate = 'NEW-1', version = version + 1
      where id = ${rental.vehicleId}`.execute(api.database.owner);
    const text = await agreementOf(rental.id);
    expect(text).toContain(rows[0]?.plate);
    expect(text).not.toContain('NEW-1');
  });
});

describe('an invoice', () => {
  async function invoiced() {
    const rental = await desk.rentals.handedOut();
    await desk.rentals.record(rental, backOf(rental));
    return desk.rentals.read(rental.id);
  }

  async function invoiceOf(id: string | null, query = ''): Promise<string> {
    return pdfText((await fetched(`/invoices/${id}/pdf${query}`)).bytes);
  }

  test('says as PDF what its rows say', async () => {
    const { invoiceId, invoiceNumber, number, price } = await invoiced();
    const text = await invoiceOf(invoiceId, '?language=en');
    const total = `€${(price.totalMinor / 100).toFixed(2)}`;
    for (const said of [`Invoice ${invoiceNumber}`, 'Jürgen Lukasiewicz', number, total]) {
      expect(text).toContain(said);
    }
    expect(text).not.toContain('To pay');
  });

  test('stays as it was first written, whatever its customer is called since', async () => {
    const { invoiceId, customerId } = await invoiced();
    const first = await invoiceOf(invoiceId);
    const name = (to: string, language: string) =>
      sql`update rentals.customer
      set name = ${to}, language = ${language}, version = version + 1
      where id = ${customerId}`.execute(api.database.owner);
    await name('Somebody Newer', 'en');
    try {
      expect(await invoiceOf(invoiceId)).toBe(first);
      expect(first).toContain('Rechnung');
    } finally {
      await name('Jürgen Łukasiewicz', 'de');
    }
  });

  test('that is a credit note names the one that it corrects', async () => {
    const { invoiceId, invoiceNumber } = await invoiced();
    const given = { key: uuidv7(), invoiceId: `${invoiceId}`, at: hoursFromNow(0) };
    const { creditNoteId, number } = await transact(
      api.database.db,
      'rentals_rw',
      'system:test',
      (tx) => issueCreditNote(tx, given),
    );
    const text = await invoiceOf(creditNoteId);
    expect(text).toContain(`Gutschrift ${number}`);
    expect(text).toMatch(new RegExp(`Berichtigt\\s*Rechnung ${invoiceNumber}, `));
  });

  test('says what of it was invoiced before, and what is left to pay', async () => {
    const figures = { currency: 'EUR', lines: [], vat: [], netMinor: 10_000, totalMinor: 12_000 };
    const names = { issuer: 'Us', zone: 'UTC', customer: 'Them', customerTaxId: null };
    const span = { serviceFrom: hoursFromNow(0), serviceTo: hoursFromNow(1) };
    const about = { number: 'INV-1', kind: 380, issueDate: '2027-07-05', rentalNumber: null };
    const due = { preceding: null, payableBy: '2027-07-19' };
    const given = { ...figures, ...names, ...span, ...about, ...due };
    const text = pdfText(await invoicePdf({ ...given, prepaidMinor: 5_000 }, 'en'));
    expect(text).toMatch(
      /Invoiced before\s*€50\.00\s*To pay\s*€70\.00\s*Payable by\s*19 July 2027/,
    );
  });
});

test('a file that no row came to name goes after an hour, and one that a row names stays', async () => {
  const { db, owner } = api.database;
  const rental = await desk.rentals.handedOut();
  await agreementOf(rental.id);
  const { rows } = await sql<{ sha256: string }>`select sha256 from rentals.agreement_file
    where rental_id = ${rental.id}`.execute(owner);
  const [named, left] = [rows[0]?.sha256 ?? '', 'f'.repeat(64)];
  const noted = await sql`select from rentals.file_removal where sha256 = ${named}`.execute(owner);
  expect(noted.rows).toEqual([]);
  const removed: string[] = [];
  const remove = () => removeNotedFiles(db, async (key) => void removed.push(key));
  for (const key of [named, left]) await expectFile(db, 'system:test', key);
  expect(await remove()).toBe(0);
  await sql`update rentals.file_removal set not_before = now()`.execute(owner);
  // It is stored anew at this very moment: the note is another one by then.
  await expectFile(db, 'system:test', left);
  expect(await remove()).toBe(0);
  await sql`update rentals.file_removal set not_before = now()`.execute(owner);
  expect([await remove(), await remove(), removed]).toEqual([1, 0, [left]]);
});

test('letters that the fonts lack lose their accents, and others become a question mark', () => {
  expect(printable('Zoë Łódź ß € Ő Петър')).toBe('Zoë Lódz ß € O ?????');
});
