// The pieces of every request and answer: ids, codes, instants, pages and problems.
import { z } from '@hono/zod-openapi';
import { localTime, parseInstant } from '../../domain/calendar.ts';

export const Id = z.uuid().openapi({ example: '01980a5d-ac96-774b-bcce-b302099a8057' });
export const BranchId = z
  .string()
  .regex(/^[A-Z0-9]{2,8}$/)
  .openapi({ example: 'VIE' });
/** ACRISS: category, type, transmission, fuel. */
export const ClassId = z
  .string()
  .regex(/^[A-Z]{4}$/)
  .openapi({ example: 'CDMR' });
export const EntityId = z
  .string()
  .regex(/^[A-Z0-9-]{2,20}$/)
  .openapi({ example: 'FC-AT' });

const VISIBLE = /^(?!\s+$)\P{Cc}*$/u;
/** The same for tools that read patterns without the flag, in which no \P is known. */
const VISIBLE_IN_DOCUMENT = '^(?!\\s+$)[^\\u0000-\\u001f\\u007f-\\u009f]*$';

/** Visible text: neither empty nor only spaces, without control characters. */
export function text(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(VISIBLE, 'must be visible text')
    .openapi({ pattern: VISIBLE_IN_DOCUMENT });
}

const invalidTime = { slug: 'invalid-time' } as const;

/** Taken with any offset, handed on in UTC. */
export const Instant = z
  .string()
  .max(40)
  .transform((given, ctx) => {
    try {
      return parseInstant(given);
    } catch {
      ctx.addIssue({
        code: 'custom',
        message: 'must be a real instant of ISO 8601 with an offset, e.g. 2027-05-03T10:00+02:00',
        params: invalidTime,
      });
      return z.NEVER;
    }
  })
  .openapi({ type: 'string', format: 'date-time', example: '2027-05-03T10:00:00+02:00' });

/** An IANA name that this server's zone database knows. */
export const TimeZone = z
  .string()
  .max(60)
  .refine(
    (zone) => {
      try {
        localTime('2027-01-01T00:00:00Z', zone);
        return true;
      } catch {
        return false;
      }
    },
    { message: 'must be the IANA name of a time zone', params: invalidTime },
  )
  .openapi({ example: 'Europe/Vienna' });

/** Of an answer: always UTC. */
export const UtcInstant = z
  .string()
  .openapi({ format: 'date-time', example: '2027-05-03T08:00:00.000Z' });
export const Minor = z
  .int()
  .openapi({ description: 'Minor units of the currency', example: 12000 });
export const Currency = z.string().openapi({ description: 'ISO 4217', example: 'EUR' });

export const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;

const Limit = z
  .string()
  .regex(/^[0-9]{1,4}$/, 'must be a whole number')
  .transform(Number)
  .pipe(z.int().min(1).max(MAX_PAGE))
  .default(DEFAULT_PAGE)
  .openapi({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE });

/** `key` is the schema of the ids that the list is ordered by; the cursor hides one of them. */
export function pageQuery(key: z.ZodType<string>) {
  return {
    limit: Limit,
    cursor: z
      .string()
      .max(200)
      .transform((cursor, ctx) => {
        const id = key.safeParse(Buffer.from(cursor, 'base64url').toString());
        if (id.success) return id.data;
        ctx.addIssue({ code: 'custom', message: 'must be the nextCursor of an answer' });
        return z.NEVER;
      })
      .optional()
      .openapi({ type: 'string', description: 'The nextCursor of the page before' }),
  };
}

/**
 * `sort=dueAt` or `sort=-dueAt`, by one of these and nothing else; `columns` are the database's
 * names. Without it a list is in the order of creation.
 */
export function sortQuery(columns: Readonly<Record<string, string>>) {
  const names = Object.keys(columns).flatMap((name) => [name, `-${name}`]);
  return z
    .enum(names)
    .transform((sort) => {
      const descending = sort.startsWith('-');
      return { column: columns[descending ? sort.slice(1) : sort] ?? 'id', descending };
    })
    .optional()
    .openapi({ type: 'string', enum: names, description: 'A - in front: from the last' });
}

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item).readonly(),
    nextCursor: z.string().nullable().openapi({ description: 'null on the last page' }),
  });
}

/** A page as answered. `rows` are the database's, `keyOf` names what the list is ordered by. */
export function page<Row, Item>(
  found: { readonly rows: readonly Row[]; readonly more: boolean },
  keyOf: (row: Row) => string,
  view: (row: Row) => Item,
) {
  const last = found.rows.at(-1);
  const nextCursor =
    found.more && last !== undefined ? Buffer.from(keyOf(last)).toString('base64url') : null;
  return { items: found.rows.map(view), nextCursor };
}

const Problem = z
  .object({
    type: z.string().openapi({ example: '/problems/vehicle-unavailable' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().openapi({ description: 'Names this request in the log' }),
    traceId: z.string().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .catchall(z.unknown())
  .openapi('Problem', { description: 'RFC 9457' });

const refused = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: Problem } },
});

/** Every route can be refused: spread this into its responses. */
export const problems = {
  '4XX': refused('Refused; `type` says why'),
  '5XX': refused('Failed here, or a part is down (503 with Retry-After)'),
} as const;

/** A partial body by what it gives: absent members are absent, never undefined. */
export function given<T extends object>(change: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** A request body that must be there. */
export function jsonRequest<T extends z.ZodType>(schema: T) {
  return { required: true, content: { 'application/json': { schema } } } as const;
}

export function jsonAnswer<T extends z.ZodType>(description: string, schema: T) {
  return { description, content: { 'application/json': { schema } } } as const;
}
