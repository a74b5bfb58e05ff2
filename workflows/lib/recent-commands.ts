// Answers of the last commands, so that a repeat gets its own, also after continue-as-new.

/** More than a counter retries; small, because it is carried in every continue-as-new. */
const REMEMBERED = 20;

/** A plain list, oldest first: a Map would be lost in the JSON that a new run starts from. */
export type RecentCommands<T> = readonly { readonly commandId: string; readonly answer: T }[];

export function answerOf<T>(recent: RecentCommands<T>, commandId: string): T | undefined {
  return recent.find((command) => command.commandId === commandId)?.answer;
}

export function remember<T>(
  recent: RecentCommands<T>,
  commandId: string,
  answer: T,
): RecentCommands<T> {
  return [...recent, { commandId, answer }].slice(-REMEMBERED);
}
