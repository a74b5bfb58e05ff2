// Is the process alive, and can it serve? For load balancers, and for people who wonder.
import { createRoute, z } from '@hono/zod-openapi';
import type { ApiDeps } from '../deps.ts';
import { type ApiRouter, apiRouter } from '../router.ts';

const Live = z.object({ status: z.literal('up') }).openapi('Live');
const Ready = z
  .object({
    status: z.enum(['ready', 'draining', 'unavailable']),
    dependencies: z.record(
      z.string(),
      z.object({ state: z.enum(['up', 'down']), needed: z.boolean() }),
    ),
  })
  .openapi('Ready');

const live = createRoute({
  method: 'get',
  path: '/health/live',
  tags: ['Health'],
  security: [],
  summary: 'The process runs; says nothing about what it depends on',
  responses: {
    200: { description: 'Alive', content: { 'application/json': { schema: Live } } },
  },
});

const ready = createRoute({
  method: 'get',
  path: '/health/ready',
  tags: ['Health'],
  security: [],
  summary: 'Each dependency by name; 503 while one is down that is needed',
  responses: {
    200: { description: 'Ready', content: { 'application/json': { schema: Ready } } },
    503: { description: 'Not ready', content: { 'application/json': { schema: Ready } } },
  },
});

export function healthRoutes({ health }: Pick<ApiDeps, 'health'>): ApiRouter {
  return apiRouter()
    .openapi(live, (c) => c.json({ status: 'up' as const }, 200))
    .openapi(ready, async (c) => {
      const dependencies = await health.check();
      const missing = Object.values(dependencies).some((d) => d.needed && d.state === 'down');
      if (health.isDraining()) return c.json({ status: 'draining' as const, dependencies }, 503);
      if (missing) return c.json({ status: 'unavailable' as const, dependencies }, 503);
      return c.json({ status: 'ready' as const, dependencies }, 200);
    });
}
