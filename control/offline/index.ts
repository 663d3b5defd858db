// What commands do with the control plane's data while no control plane runs.
export { verifyDataFolder, verifyExport } from './audit.ts';
export type { FileVerdict } from './audit.ts';
