// Operations of the function shapes (area 8, codes 256 to 287): what adapters and business functions ask the host about their invocation.

export const SHAPES = {
  /** (): name, version, memory limit (MB) and CPU limit (ms) of the function, parted by line feeds. */
  about: 256,
  /** (invocation): milliseconds until its wall limit strikes, as of the begin of this entry; 0 when it has. */
  remaining: 257,
  /** (invocation, level, message, fields as JSON or ''): a line of that invocation's log, whichever entry it is written in. */
  log: 258,
} as const;

/** Log fields that cross, characters: more is cut off by the logger. */
export const MAX_FIELDS_CHARACTERS = 8_192;

/** First lines of an event's head, where a request has its method. No HTTP method begins so. */
export const EVENT = { scheduled: '@scheduled', queue: '@queue', business: '@business' } as const;

/** The user's id as the gateway read it, percent-encoded. Clients cannot set it: the gateway drops every x-thimble-* of theirs. */
export const USER_HEADER = 'x-thimble-user';
