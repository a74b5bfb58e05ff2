// A counter that books rentals and gives commands to them over HTTP.
import { expect } from 'vitest';
import { publishRatePlan } from '../../db/commands/rate-plans.ts';
import { GOLD_1 } from '../../domain/rate-plan.ts';
import type { ApiAnswer, TestApi } from './api.ts';
import { AGENT, hoursFromNow } from './fleet.ts';

/** `api` is asked for at each call, because it is there from `beforeAll` on only. */
export function rentalCounter(api: () => TestApi) {
  return {
    booked: async (body: object): Promise<ApiAnswer['body']> => {
      const answer = await api().call('POST', '/api/v1/rentals', { body });
      expect([answer.status, answer.body.type]).toEqual([201, undefined]);
      return answer.body;
    },
    send: (id: string, command: string, body: object, key?: string): Promise<ApiAnswer> =>
      api().call('POST', `/api/v1/rentals/${id}/${command}`, { body, ...(key && { key }) }),
    /** What a screen would offer. */
    allowed: (rental: ApiAnswer['body']): readonly string[] =>
      rental.actions.flatMap((one: { allowed: boolean; method: string; href: string }) =>
        one.allowed ? [`${one.method} ${one.href}`] : [],
      ),
    problem: ({ status, body }: ApiAnswer): readonly [number, string] => [status, body.type],
    /** The branch's own plan, whose drivers below 25 have the age band of that code. */
    publishBands: (branchId: string, version: number, code: string) => {
      const ageBands = [{ code, fromAge: 18, toAge: 24, dailyMinor: 1_000 }];
      const plan = { ...GOLD_1, id: 'BANDS', version, branches: [branchId], ageBands };
      return publishRatePlan(api().database.db, AGENT, plan, hoursFromNow(version - 9));
    },
  };
}
