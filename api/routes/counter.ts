// A counter's day over HTTP, as its screen asks for it every few seconds.
import { createRoute, type z } from '@hono/zod-openapi';
import { type CounterDay, counterToday, LISTS } from '../../db/queries/counter.ts';
import { isWithin } from '../../domain/people.ts';
import { asItIs } from '../as-it-is.ts';
import { secured } from '../auth/access.ts';
import type { Caller } from '../auth/caller.ts';
import { COUNTER } from '../auth/roles.ts';
import { rowAccessOf, seesCustomers } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { found } from '../problems.ts';
import { actionsOffered } from '../rental-actions.ts';
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

/** What the caller may do to each rental now, for a screen that knows no rules. */
function withActions(day: CounterDay, caller: Caller, now: string) {
  const actions = actionsOffered(caller, now);
  const lists = LISTS.map((name) => {
    const rows = day[name].rows.map(({ judged, ...row }) => {
      const { id, status, overdue } = row;
      return { ...row, actions: actions({ id, status, overdue, ...judged }) };
    });
    return [name, { ...day[name], rows }] as const;
  });
  return { ...day, ...Object.fromEntries(lists) };
}

export function counterRoutes({ db, now }: Pick<ApiDeps, 'db' | 'now'>): ApiRouter {
  return apiRouter().openapi(today, async (c) => {
    const { branchId } = c.req.valid('query');
    const isHidden = !isWithin(c.get('caller').branches, branchId);
    const request = { branchId, now: now(), isNamed: seesCustomers(c) };
    const asked = isHidden ? null : await counterToday(db, rowAccessOf(c), request);
    const day = withActions(found(asked ?? undefined, 'branch'), c.get('caller'), request.now);
    return asItIs<z.infer<typeof CounterToday>>(c, Buffer.from(JSON.stringify(day)));
  });
}
