// Refusals that list what is booked: people know rentals by their numbers.
import type { Context } from 'hono';
import { numbersOf } from '../db/queries/rental-numbers.ts';
import { DomainError } from '../domain/errors.ts';
import { rowAccessOf } from './auth/scope.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';

/** Adds the `number` to each of the spans in a refusal's details. */
export async function numbered<T>(
  c: Context<ApiEnv>,
  { db }: ApiDeps,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const { spans } = error.details;
    if (!isList(spans)) throw error;
    const numbers = await numbersOf(
      db,
      rowAccessOf(c),
      spans.filter(({ kind }) => kind === 'rental').map(({ ref }) => String(ref)),
    );
    const named = spans.map((span) => ({
      ...span,
      number: numbers.get(String(span['ref'])) ?? null,
    }));
    throw new DomainError(error.code, error.message, { ...error.details, spans: named });
  }
}

type Details = DomainError['details'][string];

function isList(value: Details | undefined): value is Extract<Details, readonly object[]> {
  return Array.isArray(value);
}
