// A rental's drivers as the database keeps them, and the verdict on each: rows meet the rule here.
import { sql } from 'kysely';
import { localDate } from '../domain/calendar.ts';
import { type DriverVerdict, type JudgedDriver, judgeDriver } from '../domain/driver.ts';
import type { Tx } from './client.ts';

/** One named driver with all that the verdict rests on. */
export type DriverFile = {
  readonly customer_id: string;
  readonly age_at_pick_up: number | null;
  readonly judged_pick_up_at: string;
  readonly override_of: readonly string[] | null;
  readonly override_due_on: string | null;
  readonly version: number;
  readonly has_licence: boolean;
  readonly licence_classes: readonly string[] | null;
  readonly licence_issued_on: string | null;
  readonly licence_valid_until: string | null;
  readonly pick_up_at: string;
  readonly due_at: string;
  readonly zone: string;
  readonly return_zone: string;
} & RuleRow;

export type RuleRow = {
  readonly min_age: number;
  readonly max_age: number | null;
  readonly young_below_age: number;
  readonly min_held_months: number;
  readonly licence_class: string;
};

export type RentalDriver = JudgedDriver & { readonly version: number };

/** For rentals_rw and api_read. By the rule of the booked class or of `classId`, or the one for all. */
export async function readDriverFile(
  tx: Tx,
  rentalId: string,
  classId: string | null = null,
): Promise<readonly DriverFile[]> {
  const { rows } = await sql<DriverFile>`
    select d.customer_id, d.age_at_pick_up, d.judged_pick_up_at, d.override_of, d.override_due_on,
      d.version, c.licence_number is not null as has_licence, c.licence_classes,
      c.licence_issued_on, c.licence_valid_until, r.pick_up_at, r.due_at,
      vehicles.zone_of(r.branch_id) as zone, vehicles.zone_of(r.return_branch_id) as return_zone,
      rule.min_age, rule.max_age, rule.young_below_age, rule.min_held_months, rule.licence_class
    from rentals.rental_driver d
    join rentals.rental r on r.id = d.rental_id
    join rentals.customer c on c.id = d.customer_id
    cross join lateral (select * from rentals.driver_rule
      where class_id in (coalesce(${classId}, r.class_id), '*')
      order by class_id = '*' limit 1) rule
    where d.rental_id = ${rentalId} and d.ended_at is null order by d.created_at, d.customer_id`.execute(
    tx,
  );
  return rows;
}

/** Dates are those of the branches: of pick-up where it begins, of the end where it ends. */
export function judged(file: DriverFile): RentalDriver {
  const dueOn = localDate(file.due_at, file.return_zone);
  const pickUpOn = localDate(file.pick_up_at, file.zone);
  const facts = {
    hasLicence: file.has_licence,
    licenceClasses: file.licence_classes,
    issuedOn: file.licence_issued_on,
    validUntil: file.licence_valid_until,
    ageAtPickUp: file.age_at_pick_up,
  };
  const verdict = onTime(file, judgeDriver(facts, ruleOf(file), { pickUpOn, dueOn }));
  const overridden =
    file.override_of !== null && verdict.reasons.every((reason) => isLetPass(file, reason, dueOn));
  const { customer_id: customerId, version } = file;
  return { customerId, verdict, overridden, version };
}

/** An age that was told for another pick-up proves nothing about this one. */
function onTime(file: DriverFile, verdict: DriverVerdict): DriverVerdict {
  if (file.judged_pick_up_at === file.pick_up_at) return verdict;
  const reasons = [...verdict.reasons, 'judged-for-another-time'] as const;
  return { ...verdict, eligible: false, reasons };
}

function isLetPass(file: DriverFile, reason: string, dueOn: string): boolean {
  if (!file.override_of?.includes(reason)) return false;
  return reason !== 'licence-ends' || dueOn <= (file.override_due_on ?? '');
}

export function ruleOf(row: RuleRow) {
  return {
    minAge: row.min_age,
    maxAge: row.max_age,
    youngBelowAge: row.young_below_age,
    minHeldMonths: row.min_held_months,
    licenceClass: row.licence_class,
  };
}
