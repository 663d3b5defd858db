// Figures: the mergeable histogram that every process counts into. (The Prometheus registry is the control plane's.)
export { BUCKETS, LogHistogram } from './log-histogram.ts';
