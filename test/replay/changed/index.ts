// The bundle's entry of the changed workflows.
export { damageCase } from './damage-case.ts';
export { deposit } from './deposit.ts';
export { erasure } from './erasure.ts';
export { heldQuote } from './held-quote.ts';
export { recall } from './recall.ts';
export { rental } from './rental.ts';
export { transfer } from './transfer.ts';
