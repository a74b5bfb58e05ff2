// What a rental hears of its vehicle, in which order: by their sequence it knows news that come late.
import { evolve, type RentalOutcome, type RentalState } from '../../domain/rental.ts';
import type { Reassigned } from '../rental.messages.ts';

/** What continue-as-new hands on: the last sequence; absent before the first. */
export type Heard = { readonly heard?: number };

type Vehicle = Pick<RentalState, 'vehicleId'>;

export function openNews(carried: Heard | null) {
  let heard = carried?.heard ?? 0;
  let early: Vehicle | null = null;

  /** Heard of while a command was carried out, and after what its outcome knows. */
  function isLater(before: RentalState, outcome: RentalOutcome, heardBefore: number): boolean {
    const own = outcome.reassigned.findLast(({ rentalId }) => rentalId === before.id)?.version;
    const isNews = heard > (own ?? heardBefore);
    heard = Math.max(heard, own ?? 0);
    const isPlaced = ['extended', 'amended', 'swapped'].includes(outcome.type);
    return isNews && (isKeptAgain(outcome) || (before.status === 'reserved' && isPlaced));
  }

  return {
    carried: (): Heard => (heard === 0 ? {} : { heard }),
    heard: () => heard,
    early: () => early,

    /**
     * `new` is what the state must follow. What has no sequence comes from older senders and is taken
     * as it comes.
     */
    hear({ vehicleId, sequence }: Reassigned, state: RentalState | null) {
      if (sequence !== undefined && sequence <= heard) return sequence === heard ? 'known' : 'late';
      heard = sequence ?? heard;
      if (state === null || state.status === 'requested') {
        // The database was faster than the answer of `reserve` or `confirm`.
        early = { vehicleId };
        return 'known';
      }
      if (state.status === 'reserved') return 'new';
      // Of use only to one that is on its way to be reserved again.
      early = { vehicleId };
      return 'late';
    },

    /** The state after an outcome; `heardBefore` is what was heard when its command set out. */
    after(before: RentalState, outcome: RentalOutcome, heardBefore: number): RentalState {
      const { vehicleId } = isKeptAgain(outcome) ? (early ?? before) : before;
      const kept = isLater(before, outcome, heardBefore) ? { vehicleId } : null;
      return { ...evolve(before, outcome), ...(outcome.type === 'confirmed' ? early : kept) };
    },
  };
}

/** It waits for its pick-up once more. */
function isKeptAgain({ type }: RentalOutcome): boolean {
  return type === 'checkOutUndone' || type === 'reinstated';
}
