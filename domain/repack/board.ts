// The state of a search over spans that start and end at one place: who may still go where.
import { meet, type RepackSpan } from './problem.ts';
import type { Stretch } from './stretches.ts';
import type { Timeline } from './timeline.ts';

/** Spans and vehicles are known by their numbers; `cell(span, vehicle)` is a place in `taken`. */
export type Board = {
  readonly spans: readonly RepackSpan[];
  readonly vehicleIds: readonly string[];
  /** The number of the vehicle that each span has today, or -1. */
  readonly current: readonly number[];
  readonly neighbours: readonly (readonly number[])[];
  /** By stretch, its vehicle; by cell, the vehicle's stretch that the span lies in, or -1. */
  readonly vehicleOf: readonly number[];
  readonly stretchOf: Int32Array;
  /** How many reasons forbid a span a vehicle: 1 for good, and 1 a neighbour placed on it. */
  readonly taken: Uint16Array;
  /** How many vehicles each span may still have. */
  readonly choices: Int32Array;
  /** The vehicle that each span was given, or -1. */
  readonly given: Int32Array;
  /** Two marks a vehicle of which unplaced spans may have it: equal marks, equal vehicles. */
  readonly marks: Int32Array;
  /** By span, for whoever looks at the board; all 0 between two looks. */
  readonly notes: Uint8Array;
};

/** `suits` says which stretch a span may be placed on as far as is known. */
export function createBoard(
  { spans, stretches, ...line }: Timeline,
  suits: (stretch: Stretch, span: RepackSpan) => boolean,
): Board {
  const vehicleIds = [...new Set(stretches.map((stretch) => stretch.vehicleId))];
  const numbers = new Map(vehicleIds.map((id, index) => [id, index]));
  const board: Board = {
    spans,
    vehicleIds,
    current: spans.map((span) => numbers.get(span.vehicleId ?? '') ?? -1),
    neighbours: neighboursOf(spans),
    vehicleOf: stretches.map((stretch) => numbers.get(stretch.vehicleId) ?? -1),
    stretchOf: new Int32Array(spans.length * vehicleIds.length).fill(-1),
    taken: new Uint16Array(spans.length * vehicleIds.length).fill(1),
    choices: new Int32Array(spans.length),
    given: new Int32Array(spans.length).fill(-1),
    marks: new Int32Array(vehicleIds.length * 2),
    notes: new Uint8Array(spans.length),
  };
  for (const [index, stretch] of stretches.entries()) {
    const vehicle = board.vehicleOf[index] ?? -1;
    const closes = line.closes[index] ?? 0;
    for (let moment = line.opens[index] ?? 0; moment < closes; moment += 1) {
      for (const span of line.beginning[moment] ?? []) {
        const each = spans[span];
        if (each === undefined || !suits(stretch, each)) continue;
        board.stretchOf[span * vehicleIds.length + vehicle] = index;
        allow(board, span, vehicle);
      }
    }
  }
  return board;
}

/** Sorted by start, so that only the spans that begin before this one ends need a look. */
function neighboursOf(spans: readonly RepackSpan[]): number[][] {
  const neighbours: number[][] = spans.map(() => []);
  const order = spans.map((span, index) => ({ span, index }));
  order.sort((a, b) => a.span.from - b.span.from);
  for (const [place, { span, index }] of order.entries()) {
    for (let next = place + 1; next < order.length; next += 1) {
      const other = order[next];
      if (other === undefined || other.span.from >= span.to) break;
      if (!meet(span, other.span)) continue;
      neighbours[index]?.push(other.index);
      neighbours[other.index]?.push(index);
    }
  }
  return neighbours;
}

export function isFree(board: Board, span: number, vehicle: number): boolean {
  return board.taken[span * board.vehicleIds.length + vehicle] === 0;
}

export function stretchOf(board: Board, span: number, vehicle: number): number {
  return board.stretchOf[span * board.vehicleIds.length + vehicle] ?? -1;
}

export function allow(board: Board, span: number, vehicle: number): void {
  const cell = span * board.vehicleIds.length + vehicle;
  const reasons = (board.taken[cell] ?? 0) - 1;
  board.taken[cell] = reasons;
  if (reasons > 0) return;
  board.choices[span] = (board.choices[span] ?? 0) + 1;
  mark(board, span, vehicle);
}

export function forbid(board: Board, span: number, vehicle: number): void {
  const cell = span * board.vehicleIds.length + vehicle;
  const reasons = board.taken[cell] ?? 0;
  board.taken[cell] = reasons + 1;
  if (reasons > 0) return;
  board.choices[span] = (board.choices[span] ?? 0) - 1;
  mark(board, span, vehicle);
}

/** Turns the span's bit pattern in the vehicle's marks on or off. */
function mark(board: Board, span: number, vehicle: number): void {
  const at = vehicle * 2;
  board.marks[at] = (board.marks[at] ?? 0) ^ scrambled(span * 2 + 1);
  board.marks[at + 1] = (board.marks[at + 1] ?? 0) ^ scrambled(span * 2 + 2);
}

/** Thirty-two bits that look random, always the same for the same number (of murmur3's finish). */
export function scrambled(n: number): number {
  let mixed = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Places the span; false when a neighbour has no vehicle left (take it back in any case). */
export function give(board: Board, span: number, vehicle: number): boolean {
  board.given[span] = vehicle;
  for (let each = 0; each < board.vehicleIds.length; each += 1) {
    if (isFree(board, span, each)) mark(board, span, each);
  }
  let fits = true;
  for (const other of board.neighbours[span] ?? []) {
    if (board.given[other] !== -1) continue;
    forbid(board, other, vehicle);
    if (board.choices[other] === 0) fits = false;
  }
  return fits;
}

export function takeBack(board: Board, span: number): void {
  const vehicle = board.given[span] ?? -1;
  for (const other of board.neighbours[span] ?? []) {
    if (board.given[other] === -1) allow(board, other, vehicle);
  }
  board.given[span] = -1;
  for (let each = 0; each < board.vehicleIds.length; each += 1) {
    if (isFree(board, span, each)) mark(board, span, each);
  }
}
