// What a bench is given and what it answers: one figure a line, with its goal and whether it is met.

export type BenchContext = {
  readonly ownerUrl: string;
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly kafkaBrokers: string;
  readonly redisUrl: string;
};

/** A figure that was not measured has the value null and is not met. */
export type Figure = {
  readonly bench: string;
  readonly figure: string;
  readonly value: number | null;
  readonly unit: string;
  readonly floor: number | null;
  readonly ratio: number | null;
  readonly goal: string;
  readonly met: boolean;
};

/** What a figure wants to be, known before it is measured. */
export type Goal = Pick<Figure, 'figure' | 'unit' | 'goal'>;
