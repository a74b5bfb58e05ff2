// One log line for each request to the authorization server, and the id by which it is found.
import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';

/** Ids of sign-ins in addresses are secrets while the sign-in lasts; queries hold codes and tokens. */
export function observed(log: Logger, answer: RequestListener): RequestListener {
  return (request, response) => {
    const started = performance.now();
    const requestId = uuidv7();
    response.setHeader('x-request-id', requestId);
    response.once('close', () => {
      const { method } = request;
      const status = response.statusCode;
      const route = patternOf(request.url ?? '');
      const durationMs = Math.round((performance.now() - started) * 10) / 10;
      const level = status >= 500 ? 'error' : 'info';
      log[level]({ requestId, route, method, status, durationMs }, 'request');
    });
    answer(request, response);
  };
}

function patternOf(url: string): string {
  const [path = ''] = url.split('?');
  return path.replace(/\/[\w-]{20,}/g, '/:uid').slice(0, 100);
}
