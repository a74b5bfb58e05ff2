// Reach: what no way of a vehicle from one fixed time to the next contains is struck out.
import { type Board, forbid, isFree } from './board.ts';
import type { Struck } from './filter.ts';
import { slot, type Timeline } from './timeline.ts';

/** What is known of a span on the way that is looked at, in `board.notes`; 0 for all others. */
const MAY = 1;
const MUST = 2;
const COMES = 4;
const LEADS = 8;

/**
 * Strikes out the spans that the vehicle of a stretch cannot come to, or not go on from: it may rest
 * only where some vehicle can, and must take what no other may have. Adds to `struck`; false when
 * the stretch has no way at all. Sound because `resting` is the same in every placement.
 */
export function strikeUnreachable(
  line: Timeline,
  board: Board,
  stretch: number,
  struck: Struck[],
): boolean {
  const vehicle = board.vehicleOf[stretch] ?? -1;
  const { notes } = board;
  const spans = noteSpans(line, board, stretch, vehicle);
  let isOpen = comes(line, notes, stretch, spans) && leads(line, notes, stretch, spans);
  for (const span of spans) {
    const note = notes[span] ?? 0;
    notes[span] = 0;
    if (!isOpen || ((note & COMES) !== 0 && (note & LEADS) !== 0)) continue;
    if ((note & MUST) !== 0) {
      isOpen = false;
      continue;
    }
    forbid(board, span, vehicle);
    struck.push([span, vehicle]);
  }
  return isOpen;
}

/** The spans that the stretch may still have, by start. */
function noteSpans(line: Timeline, board: Board, stretch: number, vehicle: number): number[] {
  const spans: number[] = [];
  const closes = line.closes[stretch] ?? 0;
  for (let moment = line.opens[stretch] ?? 0; moment < closes; moment += 1) {
    for (const span of line.beginning[moment] ?? []) {
      if ((line.ends[span] ?? 0) > closes) continue;
      const given = board.given[span] ?? -1;
      if (given === -1 ? !isFree(board, span, vehicle) : given !== vehicle) continue;
      const isBound = given === vehicle || board.choices[span] === 1;
      board.notes[span] = isBound ? MAY | MUST : MAY;
      spans.push(span);
    }
  }
  return spans;
}

/** Forwards: notes what the vehicle can come to; false when it cannot come to the end. */
function comes(
  line: Timeline,
  notes: Uint8Array,
  stretch: number,
  spans: readonly number[],
): boolean {
  const closes = line.closes[stretch] ?? 0;
  const after = line.after[stretch] ?? -1;
  const at = new Uint8Array(line.places);
  at[line.before[stretch] ?? 0] = 1;
  let next = 0;
  for (let moment = line.opens[stretch] ?? 0; ; moment += 1) {
    for (const span of line.ending[moment] ?? []) {
      if (((notes[span] ?? 0) & COMES) !== 0) at[line.in[span] ?? 0] = 1;
    }
    if (moment === closes) return after === -1 ? at.includes(1) : at[after] === 1;
    let isBound = false;
    for (; line.begins[spans[next] ?? -1] === moment; next += 1) {
      const span = spans[next] ?? 0;
      const note = notes[span] ?? 0;
      if (at[line.out[span] ?? 0] === 1) notes[span] = note | COMES;
      if ((note & MUST) !== 0) isBound = true;
    }
    rest(line, at, moment, isBound);
  }
}

/** Backwards: notes from what the vehicle can go on to the end; false when it cannot at all. */
function leads(
  line: Timeline,
  notes: Uint8Array,
  stretch: number,
  spans: readonly number[],
): boolean {
  const [opens, closes] = [line.opens[stretch] ?? 0, line.closes[stretch] ?? 0];
  const after = line.after[stretch] ?? -1;
  const from = new Uint8Array(line.places).fill(after === -1 ? 1 : 0);
  if (after !== -1) from[after] = 1;
  let last = spans.length - 1;
  for (let moment = closes; moment >= opens; moment -= 1) {
    const end = last;
    let isBound = false;
    for (; line.begins[spans[last] ?? -1] === moment; last -= 1) {
      if (((notes[spans[last] ?? 0] ?? 0) & MUST) !== 0) isBound = true;
    }
    if (moment < closes) rest(line, from, moment, isBound);
    for (let index = last + 1; index <= end; index += 1) {
      const span = spans[index] ?? 0;
      if (((notes[span] ?? 0) & LEADS) !== 0) from[line.out[span] ?? 0] = 1;
    }
    for (const span of line.ending[moment] ?? []) {
      const note = notes[span] ?? 0;
      if (note !== 0 && from[line.in[span] ?? 0] === 1) notes[span] = note | LEADS;
    }
  }
  return from[line.before[stretch] ?? 0] === 1;
}

/** Leaves the places where the vehicle may be until the next moment without being used. */
function rest(line: Timeline, at: Uint8Array, moment: number, isBound: boolean): void {
  for (let place = 0; place < line.places; place += 1) {
    if (isBound || (line.resting[slot(line, place, moment)] ?? 0) <= 0) at[place] = 0;
  }
}
