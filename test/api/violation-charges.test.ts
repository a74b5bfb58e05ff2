// Charging for tolls and fines over HTTP: once, into the books, by card or invoice, or by nomination.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCustomer } from '../../db/commands/customers.ts';
import { eraseName } from '../../db/commands/erasure.ts';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { AGENT, PERSON } from '../support/fleet.ts';
import { entryOf, heldDeposit } from '../support/rental-money.ts';
import {
  plantSightings,
  plantTerms,
  SECOND,
  type Sightings,
  TERMS,
  violationDesk,
} from '../support/violations.ts';

const ENTITY_TERMS = '/api/v1/legal-entities/FC-AT/violation-terms';

let api: TestApi;
let at: Sightings;
const { send, received, settle, effects, legs, invoicesOf } = violationDesk(
  () => api,
  () => at.plate,
);

beforeAll(async () => {
  api = await testApi();
  at = await plantSightings(api);
});

describe('settling', () => {
  test('needs the terms of the legal entity, which are changed by their version', async () => {
    const { id } = await received();
    expectProblem(await settle(id), 409, 'invalid-state');
    await plantTerms(api.database);
    const { body: known, headers } = await api.call('GET', ENTITY_TERMS);
    expect(known).toEqual({ entityId: 'FC-AT', ...TERMS, version: 1 });
    const put = (version?: string) =>
      api.call('PUT', ENTITY_TERMS, {
        body: { ...TERMS, tollFeeMinor: 600 },
        headers: version === undefined ? {} : { 'if-match': version },
      });
    expectProblem(await put(), 428, 'precondition-required');
    expect((await put(headers.get('etag') ?? '')).body).toMatchObject({ version: 2 });
    expectProblem(await put('"1"'), 412, 'version-conflict');
  });

  test('a fine that we paid passes 60.00 on and earns the fee, once, whoever repeats it', async () => {
    const { id } = await received();
    const answers = await Promise.all([1, 2, 3, 4].map(() => settle(id)));
    const [{ body: done } = { body: null }] = answers;
    expect(answers.map(({ body }) => body)).toEqual(Array(4).fill(done));
    expect(done).toMatchObject({
      ...{ status: 'settled', passedOnMinor: 6_000, feeMinor: 2_500, vatMinor: 500 },
      ...{ collectBy: 'invoice', invoiceNumber: expect.stringMatching(/^INV-/), version: 2 },
    });
    expect(await legs(done.invoiceId)).toEqual([
      '1200 6000',
      '2130 -6000',
      '1200 3000',
      '4200 -2500',
      '2200 -500',
    ]);
    expect(await invoicesOf(id)).toBe(1);
    const invoice = await api.call('GET', `/api/v1/invoices/${done.invoiceId}`);
    expect(invoice.body).toMatchObject({ rentalId: at.first, totalMinor: 9_000, vatMinor: 500 });
    expectProblem(await settle(id, 'nominate'), 409, 'invalid-state');
    expectProblem(await send(`/${id}/dismiss`, { reason: 'late' }), 409, 'invalid-state');
    expect(await effects(id)).toMatchObject({
      events: ['forecourt.violation.received.v1', 'forecourt.violation.settled.v1'],
    });
  });

  test('a toll is passed on with its fee, and is no revenue, as the entity says', async () => {
    const { id } = await received({ kind: 'toll', amountMinor: 1_000 });
    expectProblem(await settle(id, 'nominate'), 422, 'value-refused');
    const { body } = await settle(id);
    expect(await legs(body.invoiceId)).toEqual([
      '1200 1000',
      '2130 -1000',
      '1200 720',
      '4200 -600',
      '2200 -120',
    ]);
    const foreign = await received({ kind: 'toll', currency: 'CHF' });
    expectProblem(await settle(foreign.id), 422, 'currency-mismatch');
  });

  test('is paid out of a deposit that is still held', async () => {
    // 90.24 of it pays the hire and its fuel.
    await heldDeposit(api.database.db, at.third, 14_024);
    const { id } = await received({ plate: at.thirdPlate });
    expect((await settle(id)).body).toMatchObject({ status: 'settled', rentalId: at.third });
    const forfeit = await entryOf(api.database.owner, { id: at.third }, 'payment.forfeit');
    expect(forfeit).toEqual(['2120 5000', '1200 -5000']);
  });

  test('goes to a card only with a consent and in time', async () => {
    const consent = (consentedAt: string) =>
      api.call('PUT', `/api/v1/rentals/${at.second}/delayed-charge-consent`, {
        body: { consentedAt },
      });
    expectProblem(await consent('2099-01-01T00:00:00Z'), 422, 'value-refused');
    expect((await consent(SECOND.out)).status).toBe(200);
    expect((await consent(SECOND.out)).status).toBe(200);
    expectProblem(await consent(SECOND.back), 409, 'duplicate');
    // The window begins with the return, which is now, however long ago the test was written.
    await sql`update rentals.rental set checked_in_at = now(), version = version + 1
      where id = ${at.second}`.execute(api.database.owner);
    const late = async (localTime: string) => {
      const { id } = await received({ localTime });
      const { body } = await settle(id);
      const path = `/api/v1/late-charges?rentalId=${at.second}`;
      const { items } = (await api.call('GET', path)).body;
      return [body.collectBy, items.at(-1)];
    };
    const asked = { source: 'violation', rentalId: at.second };
    expect(await late('2026-10-27T10:00')).toMatchObject([
      'invoice',
      { ...asked, reason: 'no-card' },
    ]);
    await sql`insert into rentals.authorisation (id, rental_id, payer, gateway, gateway_ref,
        payment_method, state, amount_minor, currency, opened_at, valid_until, version)
      values (${uuidv7()}, ${at.second}, 'renter', 'simulated', 'sim_1', 'sim_approve', 'released',
        1, 'EUR', now(), now(), 1)`.execute(api.database.owner);
    expect(await late('2026-10-27T11:00')).toMatchObject([
      'card',
      { ...asked, state: 'asked', reason: null },
    ]);
  });

  test('a nomination costs the fee and writes a letter that lies sealed', async () => {
    const { id } = await received();
    const { body } = await settle(id, 'nominate');
    expect(await legs(body.invoiceId)).toEqual(['1200 3000', '4200 -2500', '2200 -500']);
    const letter = await api.call('GET', `/api/v1/violations/${id}/letter`);
    expect(letter.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(letter.text).toContain(PERSON.name);
    const { owner } = api.database;
    const { rows } = await sql<{ letter: Buffer; audits: readonly string[]; told: number }>`select
        l.letter, (select array_agg(action order by at) from people.audit_entry
          where subject_id = ${at.customerId} and after ->> 'violationId' = ${id}) as audits,
        (select count(*)::int from events.outbox where event like ${`%${PERSON.name}%`}) as told
      from rentals.violation_letter l where violation_id = ${id}`.execute(owner);
    expect(rows[0]?.letter.includes(PERSON.name)).toBe(false);
    expect(rows[0]).toMatchObject({ audits: ['customer.nominate', 'customer.read-nomination'] });
    expect(rows[0]?.told).toBe(0);
  });

  test('nominates who drove: a named driver, said where several may have, and no company', async () => {
    const { db, owner } = api.database;
    const [driver, stranger, company] = [uuidv7(), uuidv7(), uuidv7()];
    for (const [id, kind] of [[driver], [stranger], [company, 'company']] as const) {
      await createCustomer(db, AGENT, { id, name: `Name ${id}`, kind });
    }
    await sql`insert into rentals.rental_driver (rental_id, customer_id, judged_pick_up_at)
      values (${at.second}, ${driver}, now())`.execute(owner);
    const { id } = await received({ localTime: '2026-10-28T10:00' });
    const settlement = 'nominate';
    const nominate = (driverId?: string) => send(`/${id}/settle`, { settlement, driverId });
    expectProblem(await nominate(), 422, 'value-refused');
    expectProblem(await nominate(stranger), 422, 'value-refused');
    const { text } = await nominate(driver);
    expect((await nominate(driver)).text).toBe(text);
    expectProblem(await nominate(at.customerId), 409, 'invalid-state');
    const path = `/api/v1/violations/${id}/letter`;
    const letter = await api.call('GET', path);
    expect(letter.text).toContain(`Name ${driver}`);
    expect(await effects(driver)).toMatchObject({
      audits: ['customer.register', 'customer.nominate', 'customer.read-nomination'],
    });
    await sql`update rentals.customer set contacts_erased_at = now() where id = ${driver}`.execute(
      owner,
    );
    await eraseName(db, 'system:erasure', driver);
    expectProblem(await api.call('GET', path), 404, 'not-found');
    await sql`update rentals.rental set customer_id = ${company}, version = version + 1
      where id = ${at.third}`.execute(owner);
    const theirs = await received({ plate: at.thirdPlate });
    expectProblem(await settle(theirs.id, 'nominate'), 409, 'invalid-state');
  });

  test('survives SIGKILL after its commit: the repeat finds its one invoice', async () => {
    const { id } = await received();
    const script = fileURLToPath(new URL('../support/settle-violation.ts', import.meta.url));
    const preload = fileURLToPath(new URL('../support/crash-after-commit.ts', import.meta.url));
    const given = ['--import', preload, script, api.database.url, id];
    const env = { ...process.env, CRASH_AFTER_COMMIT_OF: 'update rentals.violation set' };
    const child = spawn(process.execPath, given, { env });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    expect(await invoicesOf(id)).toBe(1);
    const { body } = await settle(id);
    expect(body).toMatchObject({ status: 'settled', version: 2 });
    expect(await invoicesOf(id)).toBe(1);
    const { rows } = await sql`select e.source, count(*)::int as n, sum(l.amount)::int as balance
      from accounting.entry e join accounting.line l on l.entry_id = e.id
      where e.source = 'violation.late-invoice' group by 1 having sum(l.amount) <> 0`.execute(
      api.database.owner,
    );
    expect(rows).toEqual([]);
  });
});

test('an erased name is erased from letters too, and nobody is nominated after it', async () => {
  const before = await received();
  const after = await received();
  await settle(before.id, 'nominate');
  const { body: data } = await api.call('GET', `/api/v1/customers/${at.customerId}/personal-data`);
  expect(data.violations.map(({ id }: { id: string }) => id)).toContain(before.id);
  await sql`update rentals.customer set contacts_erased_at = now() where id = ${at.customerId}`.execute(
    api.database.owner,
  );
  await eraseName(api.database.db, 'system:erasure', at.customerId);
  const path = `/api/v1/violations/${before.id}/letter`;
  expectProblem(await api.call('GET', path), 404, 'not-found');
  expectProblem(await settle(after.id, 'nominate'), 409, 'invalid-state');
  expect((await settle(after.id)).body).toMatchObject({
    status: 'settled',
    settlement: 'recharge',
  });
});
