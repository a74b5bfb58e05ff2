// What drivers of a class must bring, and the verdict on one before a rental is made.
import { sql } from 'kysely';
import { localDate } from '../../domain/calendar.ts';
import { ageOn, type DriverRule, type DriverVerdict, judgeDriver } from '../../domain/driver.ts';
import { type Acting, type Db, transact } from '../client.ts';
import type { Envelope } from '../envelope.ts';
import { codeAggregate, publish } from '../outbox.ts';
import { type RuleRow, ruleOf } from '../rental-driver.ts';
import { recordAudit } from './audit.ts';
import { licenceOf } from './licences.ts';

export type DriverRuleRow = RuleRow & { readonly class_id: string; readonly version: number };

/** `classId` `*` is for the classes without a rule of their own. A repeat changes nothing else. */
export function setDriverRule(
  db: Db,
  acting: Acting,
  classId: string,
  rule: DriverRule,
): Promise<DriverRuleRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { rows } = await sql<DriverRuleRow>`insert into rentals.driver_rule as known
        (class_id, min_age, max_age, young_below_age, min_held_months, licence_class)
      values (${classId}, ${rule.minAge}, ${rule.maxAge}, ${rule.youngBelowAge},
        ${rule.minHeldMonths}, ${rule.licenceClass})
      on conflict (class_id) do update set min_age = excluded.min_age,
        max_age = excluded.max_age, young_below_age = excluded.young_below_age,
        min_held_months = excluded.min_held_months, licence_class = excluded.licence_class,
        version = known.version + 1
      returning *`.execute(tx);
    const row = rows[0] as DriverRuleRow;
    await publish(tx, {
      type: 'forecourt.driver-rule.set.v1',
      aggregateId: codeAggregate('driver-rule', classId),
      // The rule for all is there from the beginning, as version 1.
      sequence: row.version,
      data: { classId },
    });
    const subject = { subjectType: 'driver_rule', subjectId: classId } as const;
    await recordAudit(tx, { action: 'driver-rule.set', ...subject, after: rule });
    return row;
  });
}

export type Drive = {
  readonly classId: string;
  readonly pickUpAt: string;
  readonly dueAt: string;
  /** Of the branches where it begins and ends. */
  readonly zone: string;
  readonly returnZone: string;
};

/** Undefined for an unknown customer. */
export async function eligibilityOf(
  db: Db,
  envelope: Envelope,
  acting: Acting,
  customerId: string,
  drive: Drive,
): Promise<DriverVerdict | undefined> {
  const kept = await licenceOf(db, envelope, acting, customerId);
  if (kept === undefined) return undefined;
  const { licence } = kept;
  const pickUpOn = localDate(drive.pickUpAt, drive.zone);
  const facts = {
    hasLicence: licence !== null,
    licenceClasses: licence?.classes ?? null,
    issuedOn: licence?.issuedOn ?? null,
    validUntil: licence?.validUntil ?? null,
    ageAtPickUp: licence === null ? null : ageOn(licence.birthDate, pickUpOn),
  };
  const rule = ruleOf(await ruleFor(db, acting, drive.classId));
  return judgeDriver(facts, rule, { pickUpOn, dueOn: localDate(drive.dueAt, drive.returnZone) });
}

async function ruleFor(db: Db, acting: Acting, classId: string): Promise<RuleRow> {
  const rules = await listDriverRules(db, acting);
  const rule = rules.find((one) => one.class_id === classId) ?? rules[0];
  // The migration plants the rule for all, which comes first; nobody may delete it.
  if (rule === undefined) throw new Error('There is no driver rule for all classes.');
  return rule;
}

/** The rule for all first. */
export function listDriverRules(db: Db, acting: Acting): Promise<readonly DriverRuleRow[]> {
  return transact(db, 'api_read', acting, (tx) =>
    tx
      .selectFrom('rentals.driver_rule')
      .selectAll()
      .orderBy(sql`class_id <> '*'`)
      .orderBy('class_id')
      .execute(),
  );
}
