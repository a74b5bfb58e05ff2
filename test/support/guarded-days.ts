// What the tables of branches' days refuse by themselves, beside those of cash.
import { type RawBuilder, sql } from 'kysely';
import type { GuardCase } from './guarded-cash.ts';

/** A branch whose day is closed today, and another one; dates are local. */
type Days = { readonly branchId: string; readonly busy: string; readonly today: string };

export function dayGuards({ branchId, busy, today }: Days) {
  const added = (day: string, at = branchId) => sql`insert into accounting.branch_day
      (id, entity_id, branch_id, day, state, figures, command_id)
    values (uuidv7(), 'FC-AT', ${at}, ${day}, 'closed', '{}', uuidv7())`;
  const shift = (at: string) => sql`insert into accounting.drawer_shift (id, entity_id, branch_id,
      drawer, currency, day, float_minor)
    values (uuidv7(), 'FC-AT', ${at}, 'GUARDED', 'EUR', ${today}, 0)`;
  const changed = (to: RawBuilder<unknown>) => sql`update accounting.branch_day
    set version = version + 1, ${to} where branch_id = ${branchId} and day = ${today}`;
  const trigger = 'branch_day disable trigger branch_day_transition';
  const cases: readonly GuardCase[] = [
    ['branch_day_begun', added('2099-01-01'), trigger],
    ['branch_day_in_order', added('2020-01-01'), trigger],
    ['branch_day_shifts_verified', added(today, busy), trigger],
    ['branch_day_transition', changed(sql`day = day - 9`), trigger],
    ['branch_day_closed', shift(branchId), 'drawer_shift disable trigger branch_day_closed'],
    [
      'accounting.branch_day is never changed: correct it by a reversal.',
      sql`delete from accounting.branch_day`,
      'branch_day disable trigger refuse_delete',
    ],
  ];
  /** For a day that is open again, whose slips' counts are gone. */
  const uncounted: GuardCase = [
    'branch_day_slips_counted',
    changed(sql`state = 'closed'`),
    trigger,
  ];
  const reopened = changed(sql`state = 'open', reason = 'r', reopened_by = 'staff:a',
    reopened_at = now()`);
  return { cases, uncounted, reopened, busyShift: shift(busy) };
}
