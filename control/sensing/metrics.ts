// Metrics of the figures that are kept over time.
import type { Minutes } from './minutes.ts';
import type { SecondSeries } from './second-series.ts';

export function sensingMetrics(seconds: SecondSeries, minutes: Minutes): Record<string, { readonly help: string; readonly value: number }> {
  return {
    thimble_control_series_bytes: { help: 'Bytes of the figures by the second.', value: seconds.bytes },
    thimble_control_series_kept_seconds: { help: 'How far back figures by the second are kept: less than 900 when memory for them is short, or counting began later.', value: seconds.keptMs / 1_000 },
    thimble_control_series_versions: { help: 'Versions that have figures by the second.', value: seconds.versionsTracked },
    thimble_control_series_versions_dropped_total: { help: 'Versions whose figures by the second were let go of early, since there were too many.', value: seconds.versionsDropped },
    thimble_control_minutes_written_total: { help: 'Minutes of versions written to disk.', value: minutes.counts.written },
    thimble_control_minutes_pending: { help: 'Minutes of versions not written yet.', value: minutes.pending },
    thimble_control_minutes_failed_total: { help: 'Writes of figures by the minute that the disk refused; they are tried again.', value: minutes.counts.failed },
    thimble_control_minutes_lost_total: { help: 'Increments that found no room while the disk refused.', value: minutes.counts.lost },
    thimble_control_minutes_expired_total: { help: 'Minutes of versions let go of, since they were old or too many.', value: minutes.counts.expired },
    thimble_control_minutes_kept: { help: 'How many minutes back figures are kept on disk; less than 43200 when they are too many.', value: minutes.keptMinutes },
  };
}
