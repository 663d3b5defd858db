// Forms of the store, and how each becomes the next. A step knows the form that it was written for and nothing of the present code's schemas.

/** Records below the port: a migration is no change of anything, so each keeps the revision that wrote it. */
export interface MigrationRecords {
  /** Every record whose key begins with `prefix`, as it was before the step. */
  list(prefix: string): readonly { readonly key: string; readonly value: unknown }[];
  replace(key: string, value: unknown): void;
}

export interface Migration {
  /** The form that it makes, from the one before. */
  readonly to: number;
  readonly what: string;
  run(records: MigrationRecords): void;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Members that are missing, with what their absence has meant. */
function withMissing(records: MigrationRecords, prefix: string, missing: Fields): void {
  for (const { key, value } of records.list(prefix)) {
    if (isFields(value) && Object.keys(missing).some((name) => !Object.hasOwn(value, name))) records.replace(key, { ...missing, ...value });
  }
}

/** In order. A step is never changed once a release has had it. */
export const MIGRATIONS: readonly Migration[] = [
  {
    to: 2,
    what: 'functions name their tier, and how they are delivered',
    run(records): void {
      withMissing(records, 'function/', {
        tier: 'default', callers: null, fallback: null, skew: null, retention: null, shadow: null, emergency: { killed: false, forced: null, frozen: false, reason: '' }, aliases: {}, pinned: [],
      });
      withMissing(records, 'removed/', { tier: 'default' });
    },
  },
];

/** The form that this release writes. */
export const FORMAT = MIGRATIONS.at(-1)?.to ?? 1;
