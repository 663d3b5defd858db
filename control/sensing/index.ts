// Sensing: figures by the second and by the minute, and what reads them.
export type { Series, Window } from './window.ts';
export { KEPT_S, SecondSeries } from './second-series.ts';
export type { SecondSeriesOptions } from './second-series.ts';
export { CodeBook, VersionSums } from './version-sums.ts';
export type { Held } from './version-sums.ts';
export { KEPT_MINUTES, Minutes } from './minutes.ts';
export { METRICS, SeriesReader, pointSchema, seriesSchema } from './series-reader.ts';
export type { Metric, SeriesQuery } from './series-reader.ts';
export { sensingMetrics } from './metrics.ts';
