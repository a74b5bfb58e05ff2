// The activity of a branch is counted on its own local days, whatever the order of arrival.
import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { beforeAll, describe, expect, it } from 'vitest';
import { transact } from '../../db/client.ts';
import { outboxRow } from '../../db/outbox.ts';
import type { FactOf } from '../../domain/events.ts';
import { countActivity } from '../../events/branch-activity.ts';
import { parseEvent } from '../../events/contracts.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';
import { noShow, plantBranch } from './setting.ts';

let at: TestDatabase;
beforeAll(async () => {
  at = await testDatabase();
  await plantBranch(at.owner, 'VIE', 'Europe/Vienna');
  await plantBranch(at.owner, 'SYD', 'Australia/Sydney');
});

type Counted =
  | FactOf<'forecourt.rental.no-show.v1'>
  | FactOf<'forecourt.invoice.issued.v1'>
  | FactOf<'forecourt.rental.return-reminder.v1'>;

function count(...facts: readonly Counted[]): Promise<void> {
  const events = facts.map((fact) => parseEvent(outboxRow(fact).event));
  return transact(at.db, 'events_rw', 'system:test', (tx) => countActivity(tx, events));
}

function invoice(time: string, currency: string, netMinor: number): Counted {
  const [invoiceId, entryId] = [uuidv7(), uuidv7()];
  const vatMinor = netMinor / 5;
  const amounts = { netMinor, vatMinor, totalMinor: netMinor + vatMinor, currency };
  const where = { entityId: 'FC-AT', branchId: 'VIE', rentalId: null, number: 'INV-2027-000001' };
  return {
    type: 'forecourt.invoice.issued.v1',
    aggregateId: invoiceId,
    sequence: 1,
    time,
    data: { invoiceId, entryId, issueDate: '2027-01-01', ...where, ...amounts },
  };
}

describe('branch activity', () => {
  it('puts an event on the local day of its branch', async () => {
    const time = '2026-12-31T23:30:00.000Z';
    const id = uuidv7();
    const reminder: Counted = {
      ...noShow(id, 2),
      type: 'forecourt.rental.return-reminder.v1',
      data: { rentalId: id, branchId: 'VIE', status: 'active', dueAt: time },
    };
    await count({ ...noShow(id, 1), time }, reminder);
    await count({ ...noShow(uuidv7(), 1, 'SYD'), time }, { ...noShow(uuidv7(), 1), time });
    await count({ ...noShow(uuidv7(), 1), time: '2026-12-31T22:59:59.999Z' });
    const { rows } = await sql`select branch_id, day::text, no_shows, reserved
      from events.branch_activity order by 1, 2`.execute(at.owner);
    expect(rows).toEqual([
      { branch_id: 'SYD', day: '2027-01-01', no_shows: 1, reserved: 0 },
      { branch_id: 'VIE', day: '2026-12-31', no_shows: 1, reserved: 0 },
      { branch_id: 'VIE', day: '2027-01-01', no_shows: 2, reserved: 0 },
    ]);
  });

  it('adds up invoices by currency', async () => {
    const time = '2027-01-01T12:00:00.000Z';
    await count(invoice(time, 'EUR', 10_000), invoice(time, 'CHF', 500));
    await count(invoice(time, 'EUR', 5000));
    const { rows } = await sql`select currency, invoices, net_minor, total_minor
      from events.branch_invoiced order by currency`.execute(at.owner);
    expect(rows).toEqual([
      { currency: 'CHF', invoices: 1, net_minor: 500, total_minor: 600 },
      { currency: 'EUR', invoices: 2, net_minor: 15_000, total_minor: 18_000 },
    ]);
  });

  it('refuses an event of a branch that is not there, rather than losing it', async () => {
    await expect(count(noShow(uuidv7(), 1, 'XXX'))).rejects.toThrow('Unknown branch XXX');
  });
});
