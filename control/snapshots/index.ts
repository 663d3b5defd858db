// Version snapshots: when they are built, by what, and what is known of them.
export { SnapshotFiles } from './snapshot-files.ts';
export { Snapshots } from './snapshots.ts';
export type { SnapshotView, SnapshotsOptions } from './snapshots.ts';
