// What operators see of a damage case in the Web UI: search attributes and current details.
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { allowedCommands, type CaseState } from '../../domain/damage-case.ts';
import { searchAttributes as keys } from '../../temporal-config/names.ts';

export function showCase(state: CaseState): void {
  upsertSearchAttributes([
    { key: keys.branchId, value: state.branchId },
    { key: keys.vehicleId, value: state.vehicleId },
    { key: keys.dueAt, value: new Date(state.answerDueAt ?? state.estimateDueAt) },
    { key: keys.needsAttention, value: state.attention !== null },
  ]);
  const commands = allowedCommands(state);
  const amount = state.charge === null ? '' : `${state.charge.totalMinor} ${state.currency} minor`;
  const rows = [
    ['Status', `**${state.status}**`],
    ['Rental', `\`${state.rentalId}\``],
    ['Severity', state.severity],
    ['Charge', amount],
    ['Needs a person', state.attention ?? ''],
    ['Commands now', commands.length === 0 ? 'none' : commands.join(', ')],
  ].map(([name, value]) => `| ${name} | ${value} |`);
  setCurrentDetails(['| Damage case | |', '|---|---|', ...rows].join('\n'));
}
