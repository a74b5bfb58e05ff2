// A counter's day over HTTP, as its screen asks for it every few seconds.
import { createRoute, type z } from '@hono/zod-openapi';
import { counterToday } from '../../db/queries/counter.ts';
import { isWithin } from '../../domain/people.ts';
import { asItIs } from '../as-it-is.ts';
import { secured } from '../auth/access.ts';
import { COUNTER } from '../auth/roles.ts';
import { rowAccessOf, seesCustomers } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { jsonAnswer, problems } from '../schemas/common.ts';
import { CounterToday, TodayQuery } from '../schemas/counter.ts';

const today = createRoute({
  ...secured({ scope: 'rentals:read', roles: [...COUNTER, 'fleet-planner', 'auditor'] }),
  method: 'get',
  path: '/counter/today',
  tags: ['Rentals'],
  summary: 'What goes out and comes back at a branch today, what is late, what needs somebody',
  request: { query: TodayQuery },
  responses: {
    200: jsonAnswer('The branch’s day', CounterToday),
    304: { description: 'As it was, by If-None-Match' },
    ...problems,
  },
});

export function counterRoutes({ db, now }: Pick<ApiDeps, 'db' | 'now'>): ApiRouter {
  return apiRouter().openapi(today, async (c) => {
    const { branchId } = c.req.valid('query');
    const isHidden = !isWithin(c.get('caller').branches, branchId);
    const request = { branchId, now: now(), isNamed: seesCustomers(c) };
    const day = isHidden ? null : await counterToday(db, rowAccessOf(c), request);
    const json = Buffer.from(found(day ?? undefined, 'branch'));
    return asItIs<z.infer<typeof CounterToday>>(c, json);
  });
}
