// Names that the floor's server and worker must spell alike.

export const FLOOR_QUEUE = 'bench-floor';
