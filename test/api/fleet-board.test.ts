// The fleet board: a branch's vehicles, what takes them in the window, and who may see it.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { type TestApi, testApi } from '../support/api.ts';
import { book, CLASS, hour, plantFleet, plantVehicles } from '../support/fleet.ts';
import { plantStaff, tokenOf } from '../support/people.ts';
import { yard } from '../support/yard.ts';

let api: TestApi;
const { handOut, release } = yard(() => api.database);

beforeAll(async () => {
  api = await testApi();
});

function board(query: Readonly<Record<string, string>>, token?: string) {
  const path = `/api/v1/fleet/board?${new URLSearchParams(query)}`;
  return api.call('GET', path, token === undefined ? {} : { token });
}

/** As the board writes an instant. */
function utc(n: number): string {
  return hour(n).replace('.000Z', '+00:00');
}

test('each vehicle of the branch with its spans in the window, in UTC, turnaround included', async () => {
  const { branchId, vehicleIds } = await plantFleet(api.database.db, { vehicles: 2 });
  const first = await book(api.database.db, { branchId, from: hour(10), to: hour(20) });
  const answer = await board({ branchId, from: hour(0), to: hour(100) });
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body.vehicles.map(({ id }: { id: string }) => id).toSorted()).toEqual(vehicleIds);
  const taken = answer.body.vehicles.filter((v: { spans: object[] }) => v.spans.length > 0);
  expect(taken).toEqual([
    {
      id: first.vehicleId,
      plate: expect.any(String),
      classId: CLASS,
      status: 'in_service',
      branchId,
      holds: [],
      spans: [
        {
          kind: 'rental',
          ref: first.rentalId,
          from: utc(10),
          to: utc(20.5),
          grip: 'tentative',
          branchOut: branchId,
          branchIn: branchId,
        },
      ],
    },
  ]);
  expect(answer.body.unassigned).toEqual([]);
});

test('a span counts when it touches the window, from before or past its end, and not when released', async () => {
  const { branchId } = await plantFleet(api.database.db, { vehicles: 1 });
  const before = await book(api.database.db, { branchId, from: hour(0), to: hour(10) });
  const inside = await book(api.database.db, { branchId, from: hour(12), to: hour(20) });
  const beyond = await book(api.database.db, { branchId, from: hour(22), to: hour(40) });
  const refs = async (from: number, to: number) => {
    const { body } = await board({ branchId, from: hour(from), to: hour(to) });
    return body.vehicles[0].spans.map(({ ref }: { ref: string }) => ref);
  };
  const all = [before.rentalId, inside.rentalId, beyond.rentalId];
  expect(await refs(5, 30)).toEqual(all);
  expect(await refs(10.5, 22)).toEqual([inside.rentalId]);
  expect(await refs(10.4, 22.1)).toEqual(all);
  expect(await refs(30, 90)).toEqual([beyond.rentalId]);
  await release(inside.rentalId);
  expect(await refs(5, 30)).toEqual([before.rentalId, beyond.rentalId]);
});

test('what arrives from elsewhere is on the board; demands without a vehicle stand apart', async () => {
  const { db, owner } = api.database;
  const here = await plantFleet(db, { vehicles: 1 });
  const there = await plantFleet(db, { vehicles: 1 });
  const a = await book(db, { branchId: here.branchId, from: hour(0), to: hour(10) });
  await handOut(a.rentalId, hour(0));
  const [arriving] = there.vehicleIds;
  await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
      turnaround_minutes, vehicle_id, grip)
    values ('transfer', ${randomUUID()}, ${CLASS}, ${there.branchId}, ${here.branchId},
      tstzrange(${hour(5)}, ${hour(7)}), 0, ${arriving}, 'firm')`.execute(owner);
  await sql`insert into vehicles.span (kind, ref, class_id, branch_out, branch_in, during,
      turnaround_minutes, grip, over_limit_reason)
    values ('rental', ${a.rentalId.replace(/^......../, '0199aaaa')}, ${CLASS}, ${here.branchId},
      ${here.branchId}, tstzrange(${hour(3)}, ${hour(4)}), 30, 'unassigned', 'overdue')`.execute(
    owner,
  );
  const { body } = await board({ branchId: here.branchId, from: hour(0), to: hour(24) });
  const ids = body.vehicles.map(({ id }: { id: string }) => id);
  expect(ids.toSorted()).toEqual([a.vehicleId, arriving].toSorted());
  expect(body.unassigned).toMatchObject([{ classId: CLASS, from: utc(3), to: utc(4) }]);
  const later = await board({ branchId: here.branchId, from: hour(8), to: hour(24) });
  expect(later.body.vehicles.map(({ id }: { id: string }) => id)).toEqual([a.vehicleId]);
  expect(later.body.unassigned).toEqual([]);
});

test('open holds are shown, lifted and later ones are not', async () => {
  const { branchId, vehicleIds } = await plantFleet(api.database.db, { vehicles: 1 });
  const [vehicleId = ''] = vehicleIds;
  const held = (from: string, until: string, isLifted = false) =>
    sql`insert into vehicles.hold (vehicle_id, type, severity, reason, source, source_ref, from_at,
        until_at, applied_by, lifted_at, lifted_by, lift_reason, lifted_via)
      values (${vehicleId}, 'damage', 'soft', 'scratch', 'manual', ${randomUUID()}, ${from},
        ${until}, 'test', ${isLifted ? from : null}, ${isLifted ? 'test' : null},
        ${isLifted ? 'gone' : null}, ${isLifted ? 'person' : null})`.execute(api.database.owner);
  await held(hour(5), hour(8));
  await held(hour(50), hour(60));
  await held(hour(6), hour(7), true);
  const { body } = await board({ branchId, from: hour(0), to: hour(24) });
  expect(body.vehicles[0].holds).toMatchObject([
    { type: 'damage', severity: 'soft', from: utc(5), hardFrom: null, until: utc(8) },
  ]);
});

test('a class alone, a window that is none or too long, and a branch that is not there', async () => {
  const { branchId } = await plantFleet(api.database.db, { vehicles: 1 });
  const window = { from: hour(0), to: hour(24) };
  expect((await board({ branchId, classId: CLASS, ...window })).body.vehicles).toHaveLength(1);
  expect((await board({ branchId, classId: 'FVAR', ...window })).body.vehicles).toEqual([]);
  expect((await board({ branchId, from: hour(1), to: hour(1) })).status).toBe(422);
  expect((await board({ branchId, from: hour(0), to: hour(62 * 24) })).status).toBe(200);
  expect((await board({ branchId, from: hour(0), to: hour(62 * 24 + 0.01) })).status).toBe(422);
  expect((await board({ branchId: 'NOPE', ...window })).status).toBe(404);
});

test("somebody else's branch looks as if it were not there", async () => {
  const { branchId } = await plantFleet(api.database.db, { vehicles: 0 });
  const other = await plantFleet(api.database.db, { vehicles: 0 });
  await plantVehicles(api.database.db, branchId, 2);
  const token = await tokenOf(
    await plantStaff(api.database.owner, { roles: ['fleet-planner'], branches: [branchId] }),
  );
  const window = { from: hour(0), to: hour(24) };
  expect((await board({ branchId, ...window }, token)).body.vehicles).toHaveLength(2);
  const hidden = await board({ branchId: other.branchId, ...window }, token);
  const unknown = await board({ branchId: 'NOPE', ...window }, token);
  expect([hidden.status, unknown.status]).toEqual([404, 404]);
  const said = ({ body }: typeof hidden) => ({ ...body, instance: '', traceId: '' });
  expect(said(hidden)).toEqual(said(unknown));
});

test('who has the board already is told so; a change makes another tag; it travels compressed', async () => {
  const { branchId } = await plantFleet(api.database.db, { vehicles: 40 });
  const path = `/api/v1/fleet/board?${new URLSearchParams({ branchId, from: hour(0), to: hour(24) })}`;
  const first = await api.call('GET', path, { headers: { 'accept-encoding': 'br' } });
  const etag = first.headers.get('etag') ?? '';
  expect([etag.slice(0, 3), first.headers.get('content-encoding')]).toEqual(['W/"', 'br']);
  expect(first.body.vehicles).toHaveLength(40);
  const again = await api.call('GET', path, { headers: { 'if-none-match': `"x", ${etag}` } });
  expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', etag]);
  await book(api.database.db, { branchId, from: hour(1), to: hour(2) });
  const changed = await api.call('GET', path, { headers: { 'if-none-match': etag } });
  expect(changed.status).toBe(200);
  expect(changed.headers.get('etag')).not.toBe(etag);
});
