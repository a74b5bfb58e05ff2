// The public contract of the floor's workflow.
import { defineUpdate } from '@temporalio/workflow';

export const touch = defineUpdate<void>('touch');
