// How the processes of a node speak to each other.
export { decode, encode } from './codec.ts';
export * from './frames.ts';
export { checkFrame } from './check.ts';
export { FrameReader } from './frame-reader.ts';
export { FrameWriter } from './frame-writer.ts';
export { ReceiveWindow, SendWindow } from './flow.ts';
export { FrameConnection } from './connection.ts';
export type { ConnectionHandlers, ConnectionOptions, Identity, Peer } from './connection.ts';
export { ReconnectingPeer, listenPeers } from './peers.ts';
export { JOURNAL_BYTES, JOURNAL_SLOTS, JournalWriter, readBeat, readJournal, writeBeat } from './journal.ts';
export type { Beat } from './journal.ts';
export { figuresSchema } from './figures.ts';
export type { CallerFigures, Figures, GatewayFigures, HostFigures, SidecarFigures, StandingChange, StandingFigures, StrikeReason, UsedFigures, VersionFigures } from './figures.ts';
export { MAX_DIFFERENCES, shadowFiguresSchema } from './shadow-figures.ts';
export type { ShadowDifference, ShadowFigures, ShadowRow } from './shadow-figures.ts';
