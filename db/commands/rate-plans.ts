// Rate plans: a version is a fact that never changes; a change of price is a new version.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import { type RatePlanRow, ratePlanOf } from '../queries/rate-plans.ts';
import { recordAudit } from './audit.ts';
import { named } from './master-data.ts';

/**
 * Puts a version of a plan into force from `validFrom` on (now, when left out). A version that exists
 * stays as it is. Throws `rate-plan-invalid`.
 */
export async function publishRatePlan(
  db: Db,
  principal: string,
  plan: RatePlan,
  validFrom?: string,
): Promise<void> {
  validateRatePlan(plan);
  await transact(db, 'rentals_rw', principal, (tx) => insertPlan(tx, plan, validFrom));
}

/**
 * The same for people, who are told when the version is another's: throws `duplicate` unless its
 * terms are these, and `value-refused` when the version before it is missing.
 */
export function addRatePlan(
  db: Db,
  acting: Acting,
  plan: RatePlan,
  validFrom?: string,
): Promise<RatePlanRow> {
  validateRatePlan(plan);
  return transact(db, 'rentals_rw', acting, async (tx) => {
    await named(() => insertPlan(tx, plan, validFrom));
    const { rows } = await sql<{ same: boolean }>`select terms = ${JSON.stringify(plan)}::jsonb
      and valid_from = coalesce(${validFrom ?? null}::timestamptz, valid_from) as same
      from rentals.rate_plan where id = ${plan.id} and version = ${plan.version}`.execute(tx);
    const row = await ratePlanOf(tx, plan.id, plan.version);
    if (row !== undefined && rows[0]?.same === true) return row;
    throw new DomainError('duplicate', 'This version has other terms; publish the next one.', {
      id: plan.id,
      version: plan.version,
    });
  });
}

async function insertPlan(tx: Tx, plan: RatePlan, validFrom: string | undefined): Promise<void> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('rentals.rate_plan')
    .values({
      id: plan.id,
      version: plan.version,
      valid_from: validFrom ?? sql<string>`now()`,
      terms: JSON.stringify(plan),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) return;
  await publish(tx, {
    type: 'forecourt.rate-plan.published.v1',
    aggregateId: codeAggregate('rate-plan', plan.id),
    sequence: plan.version,
    data: { planId: plan.id, planVersion: plan.version },
  });
  await recordAudit(tx, {
    action: 'rate-plan.publish',
    subjectType: 'rate_plan',
    subjectId: `${plan.id}/${plan.version}`,
    after: plan,
  });
}
