// What the host does for the runtime of one isolate: by areas with a state, and what needs none.
export type { AreaIsolate, OperationArea } from './area.ts';
export { IsolateAreas } from './isolate-areas.ts';
export { pureOperation } from './pure.ts';
