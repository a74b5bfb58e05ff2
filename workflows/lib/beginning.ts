// The request that begins a workflow: carried out once, whoever asks again gets what came of it.
import type { ApplicationFailure } from '@temporalio/workflow';
import { refusalOf, unwrapped } from './refusal.ts';
import type { serializer } from './serialize.ts';

export type Beginning<T> = {
  /** Answers `known` if there is something, throws the refusal again, or does the work. */
  readonly begin: (known: () => T | null, work: () => Promise<T>) => Promise<T>;
  /** Null while it was not refused. */
  readonly refusal: () => ApplicationFailure | null;
};

/** A failure that is no refusal is thrown and forgotten: the same request may come again. */
export function beginning<T>(inTurn: ReturnType<typeof serializer>): Beginning<T> {
  let refusal: ApplicationFailure | null = null;
  return {
    begin: (known, work) =>
      inTurn(async () => {
        if (refusal !== null) throw refusal;
        const before = known();
        if (before !== null) return before;
        try {
          return await unwrapped(work());
        } catch (error) {
          refusal = refusalOf(error) ?? null;
          throw error;
        }
      }),
    refusal: () => refusal,
  };
}
