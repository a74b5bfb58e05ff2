// The pieces that contracts are made of.
import { z } from 'zod';

export const id = z.uuid();
export const code = z.string().min(1).max(40);
export const instant = z.iso.datetime();
export const minor = z.int();
export const count = z.int().min(0);
export const currency = z.string().length(3);
