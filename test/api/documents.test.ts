// Documents for people: what agreements and invoices say, whom they are shown to, what is kept.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCustomer } from '../../db/commands/customers.ts';
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

describe('the agreement', () => {
  test('is there from the hand-over on and says what was agreed, in both languages', async () => {
    const rental = await desk.rentals.reserved(
      '2027-07-05T08:00:00.000Z',
      '2027-07-08T08:00:00.000Z',
    );
    expectProblem(
      await api.call('GET', `/api/v1/rentals/${rental.id}/agreement`),
      404,
      'not-found',
    );
    await desk.inspected(rental, 'out', { marks: [DENT] });
    await desk.rentals.record(rental, OUT);
    const german = await agreementOf(rental.id);
    const [line] = rental.price.lines;
    expect(german).toContain(`Mietvertrag ${rental.number}`);
    for (const said of [
      ...['Forecourt Austria', 'Jürgen Lukasiewicz', 'Skoda Octavia', 'Compact'],
      ...['5. Juli 2027 um 10:00 MESZ', '8. Juli 2027 um 10:00 MESZ', '2 000 km', '8/8 (Achtel)'],
      ...['roof: 1 × dent (severe)', 'Für den Vermieter', '€ 180,00'],
      line?.code === 'time.day' ? 'Miete, Tage' : 'Miete',
    ]) {
      expect(german).toContain(said);
    }
    const english = await agreementOf(rental.id, '?language=en');
    expect(english).toContain('5 July 2027 at 10:00 CEST');
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
});

test('an invoice says as PDF what its rows say', async () => {
  const rental = await desk.rentals.handedOut();
  await desk.rentals.record(rental, backOf(rental));
  const { invoiceId, invoiceNumber, price } = await desk.rentals.read(rental.id);
  const { bytes } = await fetched(`/invoices/${invoiceId}/pdf?language=en`);
  const text = pdfText(bytes);
  const total = `€${(price.totalMinor / 100).toFixed(2)}`;
  for (const said of [`Invoice ${invoiceNumber}`, 'Jürgen Lukasiewicz', rental.number, total]) {
    expect(text).toContain(said);
  }
});

test('letters that the fonts lack lose their accents, and others become a question mark', () => {
  expect(printable('Zoë Łódź ß € Ő Петър')).toBe('Zoë Lódz ß € O ?????');
});
