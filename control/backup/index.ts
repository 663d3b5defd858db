// Backups: made while the node works, restored while it does not.
export { BACKUP_ID, Backups } from './backups.ts';
export type { BackupView } from './backups.ts';
export { readManifest } from './manifest.ts';
export type { BackupContent } from './manifest.ts';
export { stageRestore } from './restore.ts';
export { writeBackup } from './write.ts';
