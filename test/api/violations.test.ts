// Tolls and fines over HTTP: matched to one rental or queued, and what people decide of the queue.
import { sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { expectProblem, type TestApi, testApi } from '../support/api.ts';
import { CASES, SETTLED, STEPS, triedWithout } from '../support/violation-rows.ts';
import {
  notice,
  plantSightings,
  plantTerms,
  type Sightings,
  violationDesk,
} from '../support/violations.ts';

let api: TestApi;
let at: Sightings;
const { send, received, settle, effects } = violationDesk(
  () => api,
  () => at.plate,
);

beforeAll(async () => {
  api = await testApi();
  at = await plantSightings(api);
});

describe('a notice', () => {
  test('of the plate and time of one rental is matched, with event and audit row', async () => {
    const violation = await received({ localTime: '2026-10-21T07:30' });
    expect(violation).toMatchObject({
      ...{
        status: 'matched',
        rentalId: at.first,
        customerId: at.customerId,
        branchId: at.here,
        queueReason: null,
      },
      ...{ at: '2026-10-21T05:30:00.000Z', orAt: null, version: 1 },
    });
    expect(await effects(violation.id)).toEqual({
      events: ['forecourt.violation.received.v1'],
      audits: ['violation.receive'],
    });
    const inSummer = await received({ localTime: '2026-10-26T10:00' });
    expect(inSummer).toMatchObject({ rentalId: at.second, at: '2026-10-26T09:00:00.000Z' });
  });

  test.each([
    ['matched', '2026-10-20T10:00', null],
    ['queued', '2026-10-20T09:59', 'no-rental'],
    ['queued', '2026-10-30T09:00', 'no-rental'],
    ['queued', '2026-10-25T02:30', 'doubled-hour'],
    ['queued', '2026-10-25T02:47', 'doubled-hour'],
    ['matched', '2026-10-25T02:50', null],
  ])('is %s at %s: %s', async (status, localTime, queueReason) => {
    expect(await received({ localTime })).toMatchObject({ status, queueReason });
  });

  test('of a plate that nobody of ours had there and then is queued', async () => {
    const unknown = { status: 'queued', queueReason: 'unknown-plate', rentalId: null };
    expect(await received({ plate: 'X-404' })).toMatchObject(unknown);
    expect(await received({ plateJurisdiction: 'DE' })).toMatchObject(unknown);
    expect(await received({ localTime: '2019-12-31T10:00' })).toMatchObject(unknown);
  });

  test('follows the plate’s history, not the vehicle’s plate of today', async () => {
    await sql`update vehicles.plate set valid = tstzrange(lower(valid), '2026-10-24T00:00:00Z')
      where plate = ${at.thirdPlate}`.execute(api.database.owner);
    const before = { plate: at.thirdPlate.toLowerCase(), localTime: '2026-10-23T10:00' };
    expect(await received(before)).toMatchObject({ status: 'matched', rentalId: at.third });
    const after = await received({ ...before, localTime: '2026-10-24T10:00' });
    expect(after).toMatchObject({ queueReason: 'unknown-plate' });
  });

  test('is there once for its authority and number, however they are typed', async () => {
    const { authority, noticeNumber } = await received();
    const again = { authority: ` ${authority.toLowerCase()}`, noticeNumber: `${noticeNumber} ` };
    expectProblem(await send('', notice(at.plate, again)), 409, 'duplicate');
    expect((await received({ noticeNumber, authority: 'ASFINAG' })).status).toBe('matched');
  });

  test('of a sighting that is known by another number waits, even beside it', async () => {
    const sighting = { place: 'A1  km 9', localTime: '2026-10-22T12:00' };
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => received({ ...sighting, plate: ` ${at.plate.toLowerCase()}` })),
    );
    const statuses = answers.map(({ status, queueReason }) => queueReason ?? status).sort();
    expect(statuses).toEqual(['matched', ...Array(3).fill('similar-notice')]);
  });

  test('of no real or past time is refused by name', async () => {
    for (const localTime of ['2026-03-29T02:30', '2099-05-03T10:00', '2026-02-30T10:00']) {
      expectProblem(await send('', notice(at.plate, { localTime })), 422, 'invalid-time');
    }
  });

  test('of another branch is taken in without saying whose it was', async () => {
    const elsewhere = { plate: at.thirdPlate, localTime: '2026-10-22T18:00' };
    const { status, body } = await send('', notice(at.plate, elsewhere), { token: at.manager });
    expect([status, body.status]).toEqual([201, 'matched']);
    expect([body.rentalId, body.customerId, body.branchId]).toEqual([null, null, null]);
    const path = `/api/v1/violations/${body.id}`;
    expectProblem(await api.call('GET', path, { token: at.manager }), 404, 'not-found');
    expectProblem(await settle(body.id, 'recharge', { token: at.manager }), 404, 'not-found');
    expect((await api.call('GET', path)).body.rentalId).toBe(at.third);
  });
});

describe('what waits', () => {
  test('is assigned by a person to a rental that had a vehicle then, once', async () => {
    const { id } = await received({ plate: 'MISREAD-1', localTime: '2026-10-22T08:00' });
    const queue = await api.call('GET', '/api/v1/violations?status=queued&limit=200', {
      token: at.manager,
    });
    expect(queue.body.items.map((one: { id: string }) => one.id)).toContain(id);
    expectProblem(await settle(id), 409, 'invalid-state');
    expectProblem(await send(`/${id}/assign`, { rentalId: at.second }), 422, 'value-refused');
    const foreign = await send(`/${id}/assign`, { rentalId: at.third }, { token: at.manager });
    expectProblem(foreign, 422, 'unknown-reference');
    const assigned = await send(`/${id}/assign`, { rentalId: at.first }, { token: at.manager });
    expect(assigned.body).toMatchObject({ status: 'matched', rentalId: at.first, version: 2 });
    const again = await send(`/${id}/assign`, { rentalId: at.first });
    expect(again.body).toEqual(assigned.body);
    expectProblem(await send(`/${id}/assign`, { rentalId: at.third }), 409, 'invalid-state');
    expect(await effects(id)).toEqual({
      events: ['forecourt.violation.received.v1', 'forecourt.violation.assigned.v1'],
      audits: ['violation.receive', 'violation.assign'],
    });
  });

  test('is dismissed with a reason, and never charged then', async () => {
    const { id } = await received({ plate: 'X-405' });
    const dismissed = await send(`/${id}/dismiss`, { reason: 'not our vehicle' });
    expect(dismissed.body).toMatchObject({ status: 'dismissed', dismissReason: 'not our vehicle' });
    expect((await send(`/${id}/dismiss`, { reason: 'not our vehicle' })).body.version).toBe(2);
    expectProblem(await send(`/${id}/assign`, { rentalId: at.first }), 409, 'invalid-state');
    expectProblem(await settle(id), 409, 'invalid-state');
    const audit = await api.call('GET', `/api/v1/audit?report=overrides&subjectId=${id}`);
    expect(audit.body.items).toMatchObject([{ reason: 'see rentals.violation' }]);
  });
});

describe('a file of notices', () => {
  const HEAD =
    'Kind;authority;Notice Number;plate;plate_jurisdiction;localTime;timeZone;place;Amount Minor;currency';
  const line = (over: object = {}) => {
    const { dueOn: _, ...cells } = notice(at.plate, over);
    return Object.values(cells).join(';');
  };
  const upload = (...lines: readonly string[]) =>
    api.call('POST', '/api/v1/violations/imports', {
      body: [HEAD, ...lines].join('\n'),
      headers: { 'content-type': 'text/csv' },
    });
  const apply = (id: string) => api.call('POST', `/api/v1/violations/imports/${id}/apply`);

  test('is checked first: each faulty row is named, and nothing is taken in', async () => {
    const known = await received();
    const twice = line();
    const { body } = await upload(
      line({ kind: 'parking' }),
      line({ localTime: '2026-03-29T02:30' }),
      line({ noticeNumber: known.noticeNumber }),
      twice,
      twice,
    );
    expect(body).toMatchObject({ status: 'refused', rows: 5, errors: 4 });
    const found = body.problems.map((p: { row: number; column: string }) => [p.row, p.column]);
    expect(found).toEqual([
      [2, 'Kind'],
      [3, 'localTime'],
      [4, 'noticeNumber'],
      [6, 'noticeNumber'],
    ]);
    expectProblem(await apply(body.id), 409, 'import-refused');
  });

  test('is taken in whole, each row matched or queued, and only once', async () => {
    const three = [{}, { plate: 'X-406' }, { kind: 'toll' }].map((over) => notice(at.plate, over));
    const { body } = await upload(...three.map(line));
    expect(body).toMatchObject({ status: 'checked', rows: 3, errors: 0, problems: [] });
    const taken = sql<{ status: string }>`select v.status from rentals.violation v
      join events.outbox o on o.aggregate_id = v.id
      join people.audit_entry a on a.subject_id = v.id::text
      where v.notice_number = any (${three.map(({ noticeNumber }) => noticeNumber)})`;
    expect((await taken.execute(api.database.owner)).rows).toEqual([]);
    const applied = await Promise.all([apply(body.id), apply(body.id)]);
    expect(applied.map(({ body: done }) => done.status)).toEqual(['applied', 'applied']);
    const { rows } = await taken.execute(api.database.owner);
    expect(rows.map(({ status }) => status).sort()).toEqual(['matched', 'matched', 'queued']);
  });

  test('is not taken in at all when one of its notices came between', async () => {
    const [one, other] = [notice(at.plate), line()];
    const { body } = await upload(line(one), other);
    expect((await send('', one)).status).toBe(201);
    expectProblem(await apply(body.id), 409, 'import-refused');
    const { rows } = await sql`select from rentals.violation
      where notice_number = ${other.split(';')[2]}`.execute(api.database.owner);
    expect(rows).toEqual([]);
  });
});

describe('the table by itself refuses', () => {
  type Row = Readonly<Record<string, unknown>>;
  let right: Row;
  let othersInvoice: string;
  const tried = (over: object, without: ReturnType<typeof sql>, isChecked: boolean) =>
    triedWithout(api.database.owner, { right, over }, without, isChecked);

  beforeAll(async () => {
    const { id } = await received({ noticeNumber: 'GUARD-0', place: 'G 0' });
    const { rows } = await sql<{ row: Row }>`select to_jsonb(v) as row from rentals.violation v
      where id = ${id}`.execute(api.database.owner);
    right = rows[0]?.row ?? {};
    await plantTerms(api.database);
    othersInvoice = (await settle((await received()).id)).body.invoiceId;
  });

  test.each(Object.keys(CASES))('%s', async (guard) => {
    const without =
      guard === 'violation_seen_once'
        ? sql`drop index rentals.violation_seen_once`
        : sql`alter table rentals.violation drop constraint ${sql.id(guard)}`;
    expect(await tried(CASES[guard] ?? {}, without, true)).toEqual([guard, 'accepted']);
  });

  test('violation_invoice_id_key', async () => {
    const without = sql`alter table rentals.violation drop constraint violation_invoice_id_key`;
    const twice = { ...SETTLED, invoice_id: othersInvoice };
    expect(await tried(twice, without, true)).toEqual(['violation_invoice_id_key', 'accepted']);
  });

  test.each(Object.keys(STEPS))('%s', async (guard) => {
    const without = sql`alter table rentals.violation disable trigger violation_guard`;
    expect(await tried(STEPS[guard] ?? {}, without, false)).toEqual([guard, 'accepted']);
  });

  test('a step that is none, also by the version', async () => {
    const { id } = await received();
    const step = (set: ReturnType<typeof sql>) =>
      sql`update rentals.violation set ${set} where id = ${id}`
        .execute(api.database.owner)
        .catch((error: { constraint?: string }) => error.constraint);
    expect(await step(sql`version = version + 1`)).toBe('violation_transition');
    const dismissed = sql`status = 'dismissed', dismiss_reason = 'x'`;
    expect(await step(dismissed)).toBe('violation_transition');
    await step(sql`${dismissed}, version = version + 1`);
    expect(await step(sql`status = 'matched', version = version + 1`)).toBe('violation_transition');
  });
});
