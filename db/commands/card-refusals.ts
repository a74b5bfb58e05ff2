// What the rows refuse of a card, in words.
import { DomainError } from '../../domain/errors.ts';

/** The refusal of a card whose renter has kept a vehicle for days; any other error as it is. */
export function cardRefusal(error: unknown): unknown {
  const { constraint } = error as { readonly constraint?: string };
  if (constraint !== 'authorisation_card_stopped') return error;
  return new DomainError(
    'invalid-state',
    'The vehicle of a rental on this card is days late: it has to come back first.',
    { notReturned: 'manager' },
  );
}
