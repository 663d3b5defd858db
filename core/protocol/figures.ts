// Figures that gateway and hosts push to the control plane: plain data, bounded per function.
import { z } from 'zod';
import { LANES } from '../config/index.ts';

export const count = z.number().min(0);
export const counts = z.record(z.string(), count);

/** A sparse log histogram: pairs of bucket index and count (core/metrics). */
export const buckets = z.array(z.tuple([count, count]));

/** Increments of one version since the last push. */
export const versionFiguresSchema = z.object({
  function: z.string(),
  version: z.number(),
  /** By HTTP status. */
  statuses: counts,
  /** By error code; answers without one are not in here. */
  codes: counts,
  /** Answers of 500 and above, and those that ended by a failure of the tenant or the platform after their head was out. Absent: those of 500 and above. */
  failed: count.optional(),
  /** Microseconds from accept to the end of the response. */
  wallUs: buckets,
  /** Microseconds of CPU time of whole invocations. */
  cpuUs: buckets,
  coldStarts: count,
  /** Microseconds from accept to head of cold starts. */
  coldUs: buckets,
  /** Sums over those cold starts, milliseconds: waiting, isolate made, version restored or evaluated, handler. */
  coldPhasesMs: z.tuple([count, count, count, count]),
  /** By code of a limit that struck: the limit, and the most that was used. */
  limits: z.record(z.string(), z.tuple([count, count])),
  /** Failures that a fallback stood in for, by its kind (`static`, `last-good`): part of `statuses` and `codes` as the failures they were. */
  fallbacks: counts.optional(),
  /** Where it runs now, and how many hosts keep it warm; absent while it has not run. */
  lane: z.enum(LANES).optional(),
  homes: count.optional(),
});

/** Why functions take strikes: the code that a killed invocation was answered with, or a module that cannot start. */
export const STRIKE_REASONS = ['cpu_limit_exceeded', 'memory_limit_exceeded', 'host_lost', 'start'] as const;
export type StrikeReason = (typeof STRIKE_REASONS)[number];

/** What can become of a function's standing. */
export const STANDING_CHANGES = ['quarantined', 'probed', 'released', 'penalised', 'returned', 'changed', 'pardoned'] as const;
export type StandingChange = (typeof STANDING_CHANGES)[number];

/** What is held against functions that were killed (gateway/strikes.ts). Times are milliseconds since 1970; counts are of this life of the gateway. */
export const standingFiguresSchema = z.object({
  /** Strikes by reason. */
  strikes: z.partialRecord(z.enum(STRIKE_REASONS), count),
  changes: z.partialRecord(z.enum(STANDING_CHANGES), count),
  quarantined: count,
  penalised: count,
  functions: z.array(z.object({
    function: z.string(),
    quarantined: z.boolean(),
    /** Within the window of quarantine. */
    strikes: count,
    /** Since the function was last in good standing; so are the next two. */
    total: count,
    quarantines: count,
    probes: count,
    probeAtMs: count.nullable(),
    penaltySinceMs: count.nullable(),
    penaltyUntilMs: count.nullable(),
    /** Of the last strike. */
    reason: z.string(),
    version: count,
    atMs: count,
  })),
});

/** Callers that limits are counted for (gateway/callers). */
export const callerFiguresSchema = z.object({
  /** That have a place now, of all functions. */
  tracked: count,
  /** Requests so far that had to share one allowance, since no place was free. */
  crowded: count,
  /** Callers with a place, by function; only those with any. */
  functions: counts,
});

export const gatewayFiguresSchema = z.object({
  kind: z.literal('gateway'),
  /** The increments are of this time, milliseconds since 1970 by the gateway's clock: from the frame before to this one. Absent: of now. */
  span: z.tuple([count, count]).optional(),
  versions: z.array(versionFiguresSchema),
  node: z.object({
    inFlight: count, queued: count, clients: count, revision: count, tableAgeMs: count, replays: count, residentBytes: count,
    /** Versions on the slow lane, and changes of lanes so far, by where they led. */
    slowVersions: count, laneChanges: z.object({ slow: count, fast: count }),
    /** Versions that more than one host keeps warm, and changes of hosts so far. */
    spreadVersions: count, homeChanges: z.object({ spread: count, shrink: count, move: count }),
  }),
  standing: standingFiguresSchema.optional(),
  callers: callerFiguresSchema.optional(),
  /** Last good answers that are kept. */
  lastGood: z.object({ answers: count, bytes: count }).optional(),
});

/** CPU time that one version used on one host since the last push, microseconds. Start-up is that of modules, and part of no invocation. */
export const usedFiguresSchema = z.object({ function: z.string(), version: z.number(), entries: count, cpuUs: count, startupUs: count, softLimits: count });

/** The present state of one host, and what its functions used since the last push. */
export const hostFiguresSchema = z.object({
  kind: z.literal('host'),
  host: z.string(),
  /** Of those with an isolate. `retiring` and `retired` (by reason): isolates whose place another took. */
  versions: z.array(z.object({ function: z.string(), version: z.number(), isolates: count, memoryBytes: count, running: count, retiring: count, keptWarm: count, retired: counts })),
  node: z.object({
    isolates: count,
    running: count,
    residentBytes: count,
    /** Isolates killed, retired (others took their place, or their settings changed), and reclaimed while nothing ran in them; each by reason. */
    kills: counts,
    retired: counts,
    reclaimed: counts,
    coldStarts: count,
    /** Retired, and something still runs in them. */
    retiring: count,
    keptWarm: count,
    /** Memory of all heaps and their buffers, each as it was last looked at. */
    heapBytes: count,
    /** Isolates that rested and gave back memory. */
    shrunk: count,
    /** Garbage collections that decided about the soft limit. */
    collections: count,
    softLimits: count,
    queued: count,
    waits: count,
    waitedMs: count,
  }),
  used: z.array(usedFiguresSchema),
  snapshots: z.object({
    /** Isolates that were restored from a version snapshot. */
    restored: count,
    /** Of the blobs and code caches that are kept. */
    bytes: count,
    /** Times that a version was loaded without its snapshot, by reason (core/versions/snapshots.ts). */
    fallBacks: counts,
    /** The versions that they were of, with the digest of the snapshot that was not used, '' when it is not known. */
    fallen: z.array(z.object({ function: z.string(), version: z.number(), digest: z.string(), sha256: z.string(), reason: z.string() })),
  }).default({ restored: 0, bytes: 0, fallBacks: {}, fallen: [] }),
});

export const sidecarFiguresSchema = z.object({
  kind: z.literal('sidecar'),
  node: z.object({ calls: count, active: count, refused: count, failed: count, residentBytes: count, sockets: count }),
});

export const figuresSchema = z.discriminatedUnion('kind', [gatewayFiguresSchema, hostFiguresSchema, sidecarFiguresSchema]);

export type VersionFigures = z.infer<typeof versionFiguresSchema>;
export type CallerFigures = z.infer<typeof callerFiguresSchema>;
export type StandingFigures = z.infer<typeof standingFiguresSchema>;
export type GatewayFigures = z.infer<typeof gatewayFiguresSchema>;
export type UsedFigures = z.infer<typeof usedFiguresSchema>;
export type HostFigures = z.infer<typeof hostFiguresSchema>;
export type SidecarFigures = z.infer<typeof sidecarFiguresSchema>;
export type Figures = z.infer<typeof figuresSchema>;
