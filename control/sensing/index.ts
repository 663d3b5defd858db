// Sensing: figures by the second and by the minute.
export type { Series, Window } from './window.ts';
export { KEPT_S, SecondSeries } from './second-series.ts';
export type { SecondSeriesOptions } from './second-series.ts';
export { CodeBook, VersionSums } from './version-sums.ts';
export type { Held } from './version-sums.ts';
