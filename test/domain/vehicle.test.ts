// A vehicle's status: which commands each state takes, and what may stand in the way.
import { describe, expect, test } from 'vitest';
import {
  decideStatus,
  type LiveSpan,
  type Ownership,
  STATUS_COMMANDS,
  type StatusCommandName,
  VEHICLE_STATUSES,
  type VehicleState,
  type VehicleStatus,
} from '../../domain/vehicle.ts';

const NOW = '2027-05-03T10:00:00.000Z';
const LATER = '2027-06-01T00:00:00.000Z';

function vehicle(status: VehicleStatus, over: Partial<VehicleState> = {}): VehicleState {
  const heldForSaleAt = status === 'held_for_sale' ? NOW : null;
  return { id: 'v', status, ownership: 'owned', heldForSaleAt, liveSpans: [], ...over };
}

function outcome(state: VehicleState, name: StatusCommandName, from?: string): string {
  try {
    const { to, at } = decideStatus(state, { name, from }, NOW);
    return at === NOW ? to : `${to} until ${at}`;
  } catch (error) {
    const { code, details } = error as { code: string; details: { reason: string } };
    return `${code} ${details.reason}`;
  }
}

const span = (kind: string, grip: string, to: string): LiveSpan => ({
  spanId: 's',
  kind,
  ref: 'r',
  grip,
  from: NOW,
  to,
});

/** Every pair that is allowed, by ownership; all others must be refused. */
const ALLOWED: Readonly<Record<Ownership, readonly string[]>> = {
  owned: [
    'ordered prepare preparing',
    'preparing activate in_service',
    'preparing write-off written_off',
    'in_service prepare preparing',
    'in_service hold-for-sale held_for_sale',
    'in_service write-off written_off',
    'held_for_sale activate in_service',
    'held_for_sale sell sold',
    'held_for_sale write-off written_off',
  ],
  leased: [
    'ordered prepare preparing',
    'preparing activate in_service',
    'preparing write-off written_off',
    'preparing return-to-supplier returned_to_supplier',
    'in_service prepare preparing',
    'in_service write-off written_off',
    'in_service return-to-supplier returned_to_supplier',
    // Only by mistake; both ways out are open.
    'held_for_sale activate in_service',
    'held_for_sale write-off written_off',
  ],
  sub_rented: [],
};

describe('the status machine', () => {
  test.each(['owned', 'leased'] as const)('of a vehicle that is %s is this table', (ownership) => {
    const allowed: string[] = [];
    for (const status of VEHICLE_STATUSES) {
      for (const name of STATUS_COMMANDS) {
        const result = outcome(vehicle(status, { ownership }), name);
        if (result.startsWith('invalid-state')) continue;
        allowed.push(`${status} ${name} ${result}`);
      }
    }
    expect(allowed).toEqual(ALLOWED[ownership]);
  });

  test('knows no way back from sold, written off and returned', () => {
    for (const status of ['sold', 'written_off', 'returned_to_supplier'] as const) {
      const results = STATUS_COMMANDS.map((name) => outcome(vehicle(status), name));
      expect(new Set(results)).toEqual(new Set(['invalid-state transition']));
    }
  });

  test('says why: the transition, the owner, or what is booked', () => {
    const sub = vehicle('in_service', { ownership: 'sub_rented' });
    expect(outcome(sub, 'hold-for-sale')).toBe('invalid-state ownership');
    expect(outcome(vehicle('in_service'), 'return-to-supplier')).toBe('invalid-state ownership');
    expect(outcome(vehicle('in_service'), 'sell')).toBe('invalid-state transition');
    const booked = vehicle('in_service', { liveSpans: [span('rental', 'tentative', LATER)] });
    expect(() => decideStatus(booked, { name: 'write-off' }, NOW)).toThrow(
      expect.objectContaining({
        code: 'invalid-state',
        details: expect.objectContaining({
          reason: 'booked',
          vehicleStatus: 'in_service',
          spans: [span('rental', 'tentative', LATER)],
        }),
      }),
    );
  });
});

describe('what stands in the way', () => {
  const over = '2027-05-02T00:00:00.000Z';
  test.each([
    ['a vehicle that is out, however long overdue', span('rental', 'out', over), true, true],
    ['a booking', span('rental', 'tentative', LATER), true, true],
    ['a booking that is over', span('rental', 'firm', over), false, false],
    ['the workshop, but not of preparing', span('maintenance', 'firm', LATER), false, true],
    ['a transfer, but not of preparing', span('transfer', 'out', LATER), false, true],
  ])('is %s', (_, one, ofPreparing, ofLeaving) => {
    const state = vehicle('in_service', { liveSpans: [one] });
    expect(outcome(state, 'prepare').startsWith('invalid-state')).toBe(ofPreparing);
    expect(outcome(state, 'hold-for-sale').startsWith('invalid-state')).toBe(ofLeaving);
    expect(outcome(state, 'write-off').startsWith('invalid-state')).toBe(ofLeaving);
  });
});

describe('a sale that is planned', () => {
  test('keeps the vehicle in service until its date', () => {
    expect(outcome(vehicle('in_service'), 'hold-for-sale', LATER)).toBe(
      `in_service until ${LATER}`,
    );
    expect(outcome(vehicle('in_service'), 'hold-for-sale', NOW)).toBe('held_for_sale');
  });

  test('leaves bookings that end before it, and none after', () => {
    const ending = (to: string) =>
      vehicle('in_service', { liveSpans: [span('rental', 'firm', to)] });
    expect(outcome(ending(LATER), 'hold-for-sale', LATER)).toBe(`in_service until ${LATER}`);
    const after = '2027-06-01T00:00:01.000Z';
    expect(outcome(ending(after), 'hold-for-sale', LATER)).toBe('invalid-state booked');
    const out = vehicle('in_service', { liveSpans: [span('rental', 'out', LATER)] });
    expect(outcome(out, 'hold-for-sale', LATER)).toBe(`in_service until ${LATER}`);
  });

  test('takes effect from its own date once that has come', () => {
    const planned = { heldForSaleAt: '2027-05-03T00:00:00.000Z' };
    const state = vehicle('in_service', planned);
    expect(decideStatus(state, { name: 'hold-for-sale' }, NOW)).toEqual({
      to: 'held_for_sale',
      at: planned.heldForSaleAt,
    });
  });

  test('is called off by activating again', () => {
    expect(outcome(vehicle('in_service', { heldForSaleAt: LATER }), 'activate')).toBe('in_service');
    expect(outcome(vehicle('in_service'), 'activate')).toBe('invalid-state transition');
  });
});
