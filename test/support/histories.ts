// Histories as text: how replay's fixtures are stored, and how a test looks into one.
import proto from '@temporalio/proto';

const { History } = proto.temporal.api.history.v1;
export type WorkflowHistory = proto.temporal.api.history.v1.IHistory;

/** JSON with bytes in base64 and enums by name; what is stored for the server only is left out. */
export function historyText(history: WorkflowHistory): string {
  const plain: unknown = History.toObject(History.fromObject(history), {
    bytes: String,
    enums: String,
    longs: String,
  });
  return `${JSON.stringify(plain, null, 1)}\n`;
}

export function historyFrom(text: string): WorkflowHistory {
  return History.fromObject(JSON.parse(text) as Record<string, unknown>);
}
