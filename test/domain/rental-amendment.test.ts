// Which changes of a booking are let through, and which leave its price as it was.
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import { checkAmendment, isMoved, placeAfter } from '../../domain/rental/amendment.ts';
import type { Amend } from '../../domain/rental.ts';

const booked = {
  classId: 'CDMR',
  returnBranchId: 'VIE',
  pickUpAt: '2027-03-01T10:00:00.000Z',
  dueAt: '2027-03-04T10:00:00.000Z',
};
const AFTER_PICK_UP = '2027-03-01T10:30:00.000Z';

function refusal(change: Amend): string {
  try {
    checkAmendment(booked, change, AFTER_PICK_UP);
    return 'none';
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
}

describe('an amendment', () => {
  test.each<[string, Amend, string]>([
    ['names what is to change', {}, 'value-refused'],
    ['may take the payer back', { payerId: null }, 'none'],
    ['may come after the pick-up time', { dueAt: '2027-03-05T10:00:00.000Z' }, 'none'],
    ['ends after it begins', { dueAt: booked.pickUpAt }, 'due-not-later'],
    ['has a new pick-up ahead', { pickUpAt: '2027-03-01T09:00:00.000Z' }, 'pick-up-in-past'],
    ['is no longer than a booking', { dueAt: '2030-03-02T10:00:00.000Z' }, 'booking-too-long'],
  ])('%s', (_name, change, expected) => {
    expect(refusal(change)).toBe(expected);
  });

  test.each<[Amend, boolean]>([
    [{ coverages: ['cdw'], payerId: null }, false],
    [{ pickUpAt: '2027-03-01T11:00:00.000+01:00', classId: 'CDMR' }, false],
    [{ classId: 'IDMR' }, true],
    [{ returnBranchId: 'GRZ' }, true],
    [{ dueAt: '2027-03-04T10:00:01.000Z' }, true],
  ])('%o is placed and priced anew: %s', (change, expected) => {
    expect(isMoved(booked, placeAfter(booked, change))).toBe(expected);
  });
});
