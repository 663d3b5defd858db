// What commands do with the control plane's data while no control plane runs.
export { verifyDataFolder, verifyExport } from './audit.ts';
export type { FileVerdict } from './audit.ts';
export { readManifest, stageRestore, writeBackup } from '../backup/index.ts';
export type { BackupContent } from '../backup/index.ts';
export { openLmdbStore } from '../store/index.ts';
