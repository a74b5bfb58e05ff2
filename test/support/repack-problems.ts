// Random calendars for the repack tests: what they hold is consistent, and one demand has no vehicle.
import fc from 'fast-check';
import type {
  FixedTime,
  RepackProblem,
  RepackSpan,
  RepackVehicle,
} from '../../domain/repack/problem.ts';
import { faultsOf } from './repack-oracle.ts';

export const HOME = 'VIE';
const AWAY = 'GRZ';
const HORIZON = 24;

export type Mix = {
  readonly fixedPercent: number;
  readonly oneWayPercent: number;
  /** Times without a place, as holds are; and spans that a vehicle may not take because of one. */
  readonly holes: boolean;
  /** One of the spans gives its vehicle up and asks for longer, as an extension does. */
  readonly leaves?: boolean;
};

type Draw = {
  readonly from: number;
  readonly length: number;
  readonly vehicle: number;
  readonly isFixed: boolean;
  readonly isOneWay: boolean;
  readonly isHole: boolean;
};

/** Up to 8 vehicles with up to 20 times in all, dense enough that half of the demands fail. */
export function anyProblem(mix: Mix): fc.Arbitrary<RepackProblem> {
  const percent = (of: number) => fc.nat(99).map((n) => n < of);
  const draw: fc.Arbitrary<Draw> = fc.record({
    from: fc.nat(HORIZON),
    length: fc.integer({ min: 1, max: 12 }),
    vehicle: fc.nat(7),
    isFixed: percent(mix.fixedPercent),
    isOneWay: percent(mix.oneWayPercent),
    isHole: mix.holes ? percent(20) : fc.constant(false),
  });
  return fc
    .record({
      size: fc.integer({ min: 1, max: 8 }),
      draws: fc.array(draw, { minLength: 10, maxLength: 60 }),
      demands: fc.array(draw, { minLength: 1, maxLength: 2 }),
      refusals: fc.array(fc.tuple(fc.nat(7), fc.nat(21)), { maxLength: mix.holes ? 8 : 0 }),
      longer: fc.record({ which: fc.nat(19), by: fc.integer({ min: 1, max: 6 }) }),
    })
    .map(({ size, draws, demands, refusals, longer }) => {
      const calendar = draws.reduce(withDraw, emptyCalendar(size));
      const asked = demands.map((each, n) => spanOf(each, `demand ${n}`, HOME, null));
      const spans = mix.leaves ? withLonger(calendar.spans, longer) : [...calendar.spans, ...asked];
      const vehicles = calendar.vehicles.map((vehicle, at) => {
        const refused = refusals.flatMap(([of, n]) => (of === at ? (spans[n] ?? []) : []));
        const others = refused.filter((span) => span.vehicleId !== vehicle.id);
        return { ...vehicle, refuses: others.map((span) => span.id) };
      });
      return { vehicles, spans };
    });
}

type Longer = { readonly which: number; readonly by: number };

function withLonger(spans: readonly RepackSpan[], { which, by }: Longer): readonly RepackSpan[] {
  const asking = which % Math.max(1, spans.length);
  return spans.map((span, at) => {
    if (at !== asking || span.vehicleId === null) return span;
    return { ...span, to: span.to + by, vehicleId: null, leaves: span.vehicleId };
  });
}

function emptyCalendar(size: number): RepackProblem {
  const vehicles = Array.from({ length: size }, (_, n): RepackVehicle => {
    return { id: `v${n}`, branchId: n % 4 === 3 ? AWAY : HOME, fixed: [] };
  });
  return { vehicles, spans: [] };
}

/** The calendar with one time more, where the vehicle is free and at the right place. */
function withDraw(calendar: RepackProblem, draw: Draw, n: number): RepackProblem {
  const count = calendar.spans.length + calendar.vehicles.flatMap(({ fixed }) => fixed).length;
  const vehicle = calendar.vehicles[draw.vehicle % calendar.vehicles.length];
  if (count >= 20 || vehicle === undefined) return calendar;
  const places = draw.isFixed ? [HOME, AWAY] : [HOME];
  const tries = places.map((place): RepackProblem => {
    const span = spanOf(draw, `s${n}`, place, vehicle.id);
    if (!draw.isFixed) return { ...calendar, spans: [...calendar.spans, span] };
    const fixed = [...vehicle.fixed, fixedOf(span, draw.isHole)];
    const vehicles = calendar.vehicles.map((v) => (v === vehicle ? { ...v, fixed } : v));
    return { ...calendar, vehicles };
  });
  return tries.find((each) => faultsOf(each, []).length === 0) ?? calendar;
}

function spanOf(draw: Draw, id: string, place: string, vehicleId: string | null): RepackSpan {
  const branchIn = draw.isOneWay ? (place === HOME ? AWAY : HOME) : place;
  const { from, length } = draw;
  return { id, from, to: from + length, branchOut: place, branchIn, vehicleId };
}

function fixedOf({ from, to, branchOut, branchIn }: RepackSpan, isHole: boolean): FixedTime {
  return isHole ? { from, to, branchOut: null, branchIn: null } : { from, to, branchOut, branchIn };
}
