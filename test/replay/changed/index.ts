// The bundle's entry of the changed workflows.
export { erasure } from './erasure.ts';
export { heldQuote } from './held-quote.ts';
export { recall } from './recall.ts';
export { rental } from './rental.ts';
export { transfer } from './transfer.ts';
