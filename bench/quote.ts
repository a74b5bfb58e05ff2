// How many rentals one core prices a second, with every kind of line on, beside parsing the answer.
import { clockOf } from '../domain/calendar.ts';
import { type Quote, type QuoteRequest, quote } from '../domain/pricing.ts';
import { GOLD_1, type RatePlan, validateRatePlan } from '../domain/rate-plan.ts';
import type { Figure, Goal } from './figure.ts';
import { progress, rounded, setting } from './support/measure.ts';

const QUOTES = setting('BENCH_QUOTES', 20_000);
const WARM_UP = 2_000;
const MIN_PER_SECOND = 2_000;
const ZONE = 'Europe/Vienna';
const MINUTE_MS = 60_000;

const RATE = {
  figure: 'quotes with every kind of line, a second of one core; floor: JSON there and back',
  unit: '1/s',
  goal: `>= ${MIN_PER_SECOND}`,
} as const;

export const goals: readonly Goal[] = [RATE];

/** GOLD-1 with what it has not: seasons, utilisation, a negotiated rate and a promotion. */
const PLAN: RatePlan = validateRatePlan({
  ...GOLD_1,
  seasons: [
    { code: 'easter', from: '2027-03-20', to: '2027-04-05', percentBp: 12_000 },
    { code: 'summer', from: '2027-06-15', to: '2027-09-15', percentBp: 14_000 },
  ],
  utilisation: [{ fromBp: 8_000, percentBp: 11_000 }],
  rates: [{ code: 'acme', kind: 'corporate', discountBp: 1_000 }],
  promotions: [
    {
      code: 'year',
      discountBp: 500,
      pickUpFrom: '2027-01-01',
      pickUpTo: '2028-01-01',
      withRate: true,
    },
  ],
  additionalDriver: { dailyMinor: 500, free: 0 },
});

/** One to 45 days from any hour of the year, some with hours after the last day. */
function requests(count: number): readonly QuoteRequest[] {
  const year = Date.parse('2027-01-01T00:00:00Z');
  return Array.from({ length: count }, (_, index) => {
    const from = year + ((index * 7_919) % 525_600) * MINUTE_MS;
    const until = from + (1 + (index % 45)) * 1_440 * MINUTE_MS + (index % 120) * MINUTE_MS;
    const [pickUpAt, returnAt] = [new Date(from).toISOString(), new Date(until).toISOString()];
    return {
      plan: PLAN,
      pickUpAt,
      returnAt,
      clock: clockOf(ZONE, pickUpAt, returnAt),
      branchId: 'VIE',
      returnBranchId: 'GRZ',
      coverages: ['cdw'],
      extras: [{ code: 'item', count: 2 }],
      drivers: { bands: ['young'], additional: 1 },
      surcharges: ['airport', 'vl', 'lf'],
      rate: 'acme',
      promotion: 'year',
      utilisationBp: 8_500,
      fees: [{ code: 'fee.out-of-hours-pick-up', netMinor: 2_500 }],
      distance: 12_000,
      fuel: { kind: 'tank', out: 8, back: 3, scale: 8 },
    };
  });
}

/** Time of the processor, not of the clock: others may use the machine meanwhile. */
function perSecond(count: number, work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (count * 1e6) / (user + system);
}

export async function run(): Promise<Figure[]> {
  const asked = requests(QUOTES);
  for (const request of asked.slice(0, WARM_UP)) quote(request);
  const answers: Quote[] = [];
  const value = perSecond(QUOTES, () => {
    for (const request of asked) answers.push(quote(request));
  });
  const texts = answers.map((answer) => JSON.stringify(answer));
  for (const text of texts.slice(0, WARM_UP)) JSON.stringify(JSON.parse(text));
  let characters = 0;
  const floor = perSecond(QUOTES, () => {
    for (const text of texts) characters += JSON.stringify(JSON.parse(text)).length;
  });
  const kinds = new Set(answers.flatMap(({ lines }) => lines.map(({ code }) => code)));
  progress(`quote: ${kinds.size} kinds of lines, ${Math.round(characters / QUOTES)} characters`);
  return [
    {
      bench: 'quote',
      ...RATE,
      value: rounded(value, 0),
      floor: rounded(floor, 0),
      ratio: rounded(value / floor),
      met: value >= MIN_PER_SECOND,
    },
  ];
}
