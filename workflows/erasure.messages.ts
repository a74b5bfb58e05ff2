// The public contract of the erasure workflow: what others may send it and what it answers.
import { defineQuery, defineUpdate } from '@temporalio/workflow';
import type { ErasureState } from '../domain/erasure.ts';
import type { Envelope } from './rental.messages.ts';

/** An approved request: four eyes looked at it (people.approval). */
export type BeginErasure = { readonly customerId: string; readonly approvalId: string };

/** An Update, because whoever asks must hear why not: an open rental, a missing approval. */
export const begin = defineUpdate<ErasureState, [Envelope<BeginErasure>]>('begin');

export const erasureState = defineQuery<ErasureState | null>('erasureState');
