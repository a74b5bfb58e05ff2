// Crowds: spans of one moment that cannot all have a vehicle, whatever happens at other times.
import { type Board, isFree } from './board.ts';

/**
 * True when at some moment the unplaced spans outnumber the vehicles that they may have (Hall's
 * condition, by a matching for each moment at which a span begins). Then there is no placement.
 */
export function hasCrowd(board: Board): boolean {
  return board.spans.some((_, span) => board.given[span] === -1 && !canAllBeServed(board, span));
}

function canAllBeServed(board: Board, beginning: number): boolean {
  const moment = board.spans[beginning]?.from ?? 0;
  const owner = new Map<number, number>();
  const crowd = [beginning, ...(board.neighbours[beginning] ?? [])].filter((other) => {
    const span = board.spans[other];
    return board.given[other] === -1 && span !== undefined && span.from <= moment;
  });
  const homeless = crowd.filter((span) => {
    const vehicle = board.current[span] ?? -1;
    if (vehicle === -1 || owner.has(vehicle) || !isFree(board, span, vehicle)) return true;
    owner.set(vehicle, span);
    return false;
  });
  return homeless.every((span) => serve(board, span, owner, new Set()));
}

/** Kuhn's augmenting path: the span gets a vehicle, and whoever had it another. */
function serve(
  board: Board,
  span: number,
  owner: Map<number, number>,
  tried: Set<number>,
): boolean {
  for (let vehicle = 0; vehicle < board.vehicleIds.length; vehicle += 1) {
    if (tried.has(vehicle) || !isFree(board, span, vehicle)) continue;
    tried.add(vehicle);
    const other = owner.get(vehicle);
    if (other === undefined || serve(board, other, owner, tried)) {
      owner.set(vehicle, span);
      return true;
    }
  }
  return false;
}
