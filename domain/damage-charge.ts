// What a renter owes for a damage: the loss, limited by the law and by the cover that was bought.
import { addMinor, type Minor, multiplyRatio } from './money.ts';

/** Net amounts in minor units of the rental's currency. */
export type DamageLoss = {
  readonly repairMinor: Minor;
  readonly lossOfUseMinor: Minor;
  readonly adminMinor: Minor;
  readonly diminutionMinor: Minor;
};

export const EXCLUSIONS = [
  'unauthorised-driver',
  'alcohol-or-drugs',
  'off-road',
  'negligence',
  'not-reported',
] as const;
/** Why a cover that was bought does not hold. */
export type Exclusion = (typeof EXCLUSIONS)[number];

export const VAT_CLASSES = ['compensation', 'sold-repair'] as const;
/** Compensation lies outside VAT; a repair that is sold to the renter is taxable. */
export type VatClass = (typeof VAT_CLASSES)[number];

export type DamageTerms = {
  /** What the renter bears with the waiver that was bought; null without one. */
  readonly excessMinor: Minor | null;
  readonly exclusion: Exclusion | null;
  /** The most that the jurisdiction lets a renter owe; null where it sets no limit. */
  readonly capMinor: Minor | null;
  readonly vatClass: VatClass;
  /** Of a repair that is sold. */
  readonly vatRateBp: number;
};

export type DamageLineCode =
  | 'damage.repair'
  | 'damage.loss-of-use'
  | 'damage.admin'
  | 'damage.diminution';
export type DamageLine = {
  readonly code: DamageLineCode;
  readonly netMinor: Minor;
  readonly vatRateBp: number;
};
export type DamageTax = {
  readonly rateBp: number;
  readonly baseMinor: Minor;
  readonly vatMinor: Minor;
};
export type DamageCharge = {
  readonly lines: readonly DamageLine[];
  readonly taxes: readonly DamageTax[];
  readonly netMinor: Minor;
  readonly vatMinor: Minor;
  readonly totalMinor: Minor;
  readonly limitedBy: 'nothing' | 'cap' | 'excess';
};

const WHOLE_BP = 10_000;

/**
 * min(repair + loss of use + admin + diminution, cap); with a waiver and no exclusion min(that,
 * excess) (decisions.md 20). What the renter pays, VAT included, is what is limited; the repair is
 * paid first.
 */
export function damageCharge(loss: DamageLoss, terms: DamageTerms): DamageCharge {
  const rateBp = terms.vatClass === 'sold-repair' ? terms.vatRateBp : 0;
  const repairVat = multiplyRatio(loss.repairMinor, rateBp, WHOLE_BP);
  const owed: readonly (readonly [DamageLineCode, Minor, number])[] = [
    ['damage.repair', addMinor(loss.repairMinor, repairVat), rateBp],
    ['damage.loss-of-use', loss.lossOfUseMinor, 0],
    ['damage.admin', loss.adminMinor, 0],
    ['damage.diminution', loss.diminutionMinor, 0],
  ];
  const whole = addMinor(...owed.map(([, amount]) => amount));
  const { limit, limitedBy } = limitOf(whole, terms);
  let left = limit;
  const lines: DamageLine[] = [];
  const taxes = new Map<number, DamageTax>();
  for (const [code, amount, vatRateBp] of owed) {
    const gross = Math.min(left, amount);
    if (gross === 0) continue;
    left -= gross;
    const vatMinor = multiplyRatio(gross, vatRateBp, WHOLE_BP + vatRateBp);
    const netMinor = gross - vatMinor;
    lines.push({ code, netMinor, vatRateBp });
    const tax = taxes.get(vatRateBp) ?? { rateBp: vatRateBp, baseMinor: 0, vatMinor: 0 };
    taxes.set(vatRateBp, {
      rateBp: vatRateBp,
      baseMinor: addMinor(tax.baseMinor, netMinor),
      vatMinor: addMinor(tax.vatMinor, vatMinor),
    });
  }
  const netMinor = addMinor(...lines.map((line) => line.netMinor));
  const all = [...taxes.values()];
  const vatMinor = addMinor(...all.map((tax) => tax.vatMinor));
  return { lines, taxes: all, netMinor, vatMinor, totalMinor: limit, limitedBy };
}

/** Of equal limits the narrower rule is named: the cover that was bought. */
function limitOf(
  whole: Minor,
  { capMinor, excessMinor, exclusion }: DamageTerms,
): { readonly limit: Minor; readonly limitedBy: DamageCharge['limitedBy'] } {
  const capped = Math.min(whole, capMinor ?? whole);
  const covered = exclusion === null ? Math.min(capped, excessMinor ?? capped) : capped;
  if (covered < capped) return { limit: covered, limitedBy: 'excess' };
  return { limit: capped, limitedBy: capped < whole ? 'cap' : 'nothing' };
}

/** The whole loss, which an insurer may bear a share of. */
export function lossOf(loss: DamageLoss): Minor {
  const { repairMinor, lossOfUseMinor, adminMinor, diminutionMinor } = loss;
  return addMinor(repairMinor, lossOfUseMinor, adminMinor, diminutionMinor);
}
