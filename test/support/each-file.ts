// Runs before each test file: registered first, so that it ends after the file's own endings.
import { afterAll } from 'vitest';
import { endAll } from './endings.ts';

afterAll(endAll);
