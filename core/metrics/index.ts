// Figures: the mergeable histogram that every process counts into. (The Prometheus registry is the control plane's.)
export { LogHistogram } from './log-histogram.ts';
