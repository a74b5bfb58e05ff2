// What a branch asks of inspections and damages, set by people, with event and audit row.
import { type Selectable, sql } from 'kysely';
import type { VatClass } from '../../domain/damage-charge.ts';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import type { RentalsDamageRule } from '../schema.ts';
import { recordAudit } from './audit.ts';

export type DamageRuleRow = Selectable<RentalsDamageRule>;

export type DamageRule = {
  readonly branchId: string;
  readonly inspectionRequired: boolean;
  /** Minor units of the branch's currency; null where the law sets no limit. */
  readonly capMinor: number | null;
  readonly vatClass: VatClass;
  readonly vatRateBp: number;
  readonly estimateHours: number;
  readonly answerHours: number;
};

/**
 * Counts for what is estimated and handed over from now on. `version` is the one that the caller
 * knows, null where there is no rule yet. Throws `version-conflict`.
 */
export function setDamageRule(
  db: Db,
  acting: Acting,
  rule: DamageRule,
  version: number | null,
): Promise<DamageRuleRow> {
  const { branchId, ...terms } = rule;
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { rows } = await sql<DamageRuleRow>`insert into rentals.damage_rule as d
        (branch_id, inspection_required, cap_minor, vat_class, vat_rate_bp, estimate_hours,
          answer_hours)
      values (${branchId}, ${rule.inspectionRequired}, ${rule.capMinor}, ${rule.vatClass},
        ${rule.vatRateBp}, ${rule.estimateHours}, ${rule.answerHours})
      on conflict (branch_id) do update set inspection_required = excluded.inspection_required,
        cap_minor = excluded.cap_minor, vat_class = excluded.vat_class,
        vat_rate_bp = excluded.vat_rate_bp, estimate_hours = excluded.estimate_hours,
        answer_hours = excluded.answer_hours, version = d.version + 1
      where d.version = ${version}
      returning *`.execute(tx);
    const [set] = rows;
    if (set === undefined) {
      throw new DomainError('version-conflict', 'Somebody changed it meanwhile; read it again.');
    }
    await publish(tx, {
      type: 'forecourt.damage-rule.set.v1',
      aggregateId: codeAggregate('damage-rule', branchId),
      sequence: set.version,
      data: { branchId },
    });
    const subject = { subjectType: 'damage_rule', subjectId: branchId } as const;
    await recordAudit(tx, { action: 'damage-rule.set', ...subject, after: terms });
    return set;
  });
}
