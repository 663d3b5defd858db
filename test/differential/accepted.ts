export const PEERS_DIFFER: any[] = [];
export const THIMBLE_DIFFERS: any[] = [];
