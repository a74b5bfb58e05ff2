// Callers who wait at the same time go together: one transaction, and one wait for the disk.

type Waiting<Ask, Answer> = {
  readonly ask: Ask;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
};

export type Work<Ask, Answer> = {
  /** Does all or none, and answers in order. */
  readonly together: (asks: readonly Ask[]) => Promise<readonly Answer[]>;
  /** Does one; safe to repeat after `together` failed with an unknown outcome. */
  readonly alone: (ask: Ask) => Promise<Answer>;
};

export type Size = {
  readonly limit: number;
  readonly lanes: number;
  /** Called when nobody waits and nobody is on the way. */
  readonly whenIdle?: () => void;
};

/**
 * A caller goes at once, alone, while fewer than `lanes` are on their way. Those who come later
 * gather and go next, in order, at most `limit` together. When they fail, each goes again alone, so
 * that one caller's mistake is nobody else's.
 */
export function gathering<Ask, Answer>(
  work: Work<Ask, Answer>,
  { limit, lanes, whenIdle }: Size,
): (ask: Ask) => Promise<Answer> {
  const waiting: Waiting<Ask, Answer>[] = [];
  let travelling = 0;

  const travel = async (): Promise<void> => {
    travelling += 1;
    while (waiting.length > 0) await go(work, waiting.splice(0, limit));
    travelling -= 1;
    if (travelling === 0) whenIdle?.();
  };

  return (ask) =>
    new Promise((resolve, reject) => {
      waiting.push({ ask, resolve, reject });
      if (travelling < lanes) void travel();
    });
}

async function go<Ask, Answer>(
  work: Work<Ask, Answer>,
  company: readonly Waiting<Ask, Answer>[],
): Promise<void> {
  if (company.length > 1 && (await allGo(work, company))) return;
  for (const { ask, resolve, reject } of company) await work.alone(ask).then(resolve, reject);
}

async function allGo<Ask, Answer>(
  work: Work<Ask, Answer>,
  company: readonly Waiting<Ask, Answer>[],
): Promise<boolean> {
  try {
    const answers = await work.together(company.map(({ ask }) => ask));
    for (const [index, { resolve }] of company.entries()) resolve(answers[index] as Answer);
    return true;
  } catch {
    return false;
  }
}
