// Many requests in one: each item is done, or refused, as it would be alone.
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { v5 as uuidv5 } from 'uuid';
import type { ApiEnv } from './deps.ts';
import { toProblem } from './errors.ts';
import { PROBLEMS, problemBody } from './problems.ts';

const MAX_ITEMS = 100;

const ItemProblem = z
  .object({
    type: z.string().openapi({ example: '/problems/unknown-reference' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
  })
  .openapi('ItemProblem', { description: 'RFC 9457, of one item' });

export function batchOf<T extends z.ZodType>(item: T, name: string) {
  return z.strictObject({ items: z.array(item).min(1).max(MAX_ITEMS) }).openapi(name);
}

/** The answer: in the order of the items, each with the status that it would have had alone. */
export function batchResults<T extends z.ZodType>(item: T, name: string) {
  const done = z.object({ status: z.literal([200, 201]), item });
  const refused = z.object({ status: z.int().min(400), problem: ItemProblem });
  return z.object({ results: z.array(z.union([done, refused])) }).openapi(name);
}

type Result<View> =
  | { readonly status: 200 | 201; readonly item: View }
  | { readonly status: number; readonly problem: z.infer<typeof ItemProblem> };

/**
 * Runs `work` on each item in turn. A refusal is that item's result. Throws what is no refusal (a
 * part that is down): the whole is repeated then, and what was done is found by its id.
 */
export async function eachItem<Item, View>(
  c: Context<ApiEnv>,
  items: readonly Item[],
  status: 200 | 201,
  work: (item: Item, index: number) => Promise<View>,
): Promise<{ results: Result<View>[] }> {
  const results: Result<View>[] = [];
  for (const [index, item] of items.entries()) {
    try {
      results.push({ status, item: await work(item, index) });
    } catch (error) {
      const problem = toProblem(error);
      if (PROBLEMS[problem.slug].status >= 500) throw error;
      results.push({ status: PROBLEMS[problem.slug].status, problem: problemBody(c, problem) });
    }
  }
  return { results };
}

/** The id of an item: the same at every retry of the batch that is bound to `boundId`. */
export function itemId(boundId: string, index: number): string {
  return uuidv5(String(index), boundId);
}
