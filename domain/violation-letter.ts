// The letter that names a driver to an authority, as plain text.
import { formatMinor, type Minor } from './money.ts';

/** Personal: the text is sealed wherever it is kept. Times are local to the place of the notice. */
export type Nomination = {
  /** Who writes: the legal entity's name and address. */
  readonly sender: string;
  readonly authority: string;
  readonly noticeNumber: string;
  readonly plate: string;
  readonly jurisdiction: string;
  readonly localTime: string;
  readonly place: string;
  readonly amountMinor: Minor;
  readonly currency: string;
  readonly rentalNumber: string;
  readonly outAt: string;
  /** Null: the vehicle is still out. */
  readonly inAt: string | null;
  readonly driver: {
    readonly name: string;
    readonly birthDate: string | null;
    readonly licenceNumber: string | null;
  };
};

const UNKNOWN = 'not on file';

export function nominationLetter(given: Nomination): string {
  const { driver } = given;
  return [
    given.sender,
    '',
    `To: ${given.authority}`,
    `Your notice: ${given.noticeNumber}`,
    '',
    'Nomination of the driver',
    '',
    `At ${given.localTime} (local time) the vehicle ${given.plate} (${given.jurisdiction}) was seen at`,
    `${given.place}; the notice is over ${formatMinor(given.amountMinor, given.currency)} ${given.currency}.`,
    'We had rented the vehicle out:',
    '',
    `  Rental agreement   ${given.rentalNumber}`,
    `  Handed out         ${given.outAt}`,
    `  Handed back        ${given.inAt ?? 'not yet'}`,
    `  Driver             ${driver.name}`,
    `  Date of birth      ${driver.birthDate ?? UNKNOWN}`,
    `  Driving licence    ${driver.licenceNumber ?? UNKNOWN}`,
    '',
    'Please address the notice to this person.',
    '',
  ].join('\n');
}
