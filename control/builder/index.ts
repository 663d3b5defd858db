// From uploaded files to durable version folders.
export { BuildCache } from './build-cache.ts';
export type { BuildCacheOptions } from './build-cache.ts';
export { Builder } from './builder.ts';
export type { Built } from './builder.ts';
export { BuildTimeout, BuilderLost, EsbuildService } from './esbuild-service.ts';
export type { EsbuildServiceOptions } from './esbuild-service.ts';
export { isOfPackage } from './paths.ts';
export { buildReportSchema, placeSchema } from './report.ts';
export type { BuildReport } from './report.ts';
export { UploadResolver } from './upload-resolver.ts';
export type { Found, ImportKind } from './upload-resolver.ts';
export { TierFiles } from './tier-files.ts';
export type { TierFilesOptions } from './tier-files.ts';
export { VersionFiles } from './version-files.ts';
export type { VersionContent } from './version-files.ts';
