// What an endpoint declares: the router, the checks and the OpenAPI document are all made from this.
import type { z } from 'zod';
import type { ErrorCode } from '../../core/errors/index.ts';
import type { Caller } from '../access/index.ts';
import type { Actor } from '../model/index.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** Who may call: everybody, with or without a token; holders of a token, for what it covers; those who may deploy the function; administrators. */
export type Access = 'open' | 'reader' | 'deployer' | 'admin';

export interface BodySpec<B> {
  /** For the document; and for the check where `pick` is absent. */
  readonly schema: z.ZodType<B>;
  /** The schema for this very body, where a union would report every alternative. */
  readonly pick?: (body: unknown) => z.ZodType<B>;
  /** An absent body is taken as `{}`. */
  readonly optional: boolean;
  readonly limitBytes: number;
}

export interface Input<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly actor: Actor;
  readonly caller: Caller;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON; a Response is sent as it is. */
  readonly body: unknown;
}

export interface EndpointSpec<P, Q, B> {
  readonly method: Method;
  /** OpenAPI form: `/v1/functions/{name}`. */
  readonly path: string;
  readonly operation: string;
  readonly summary: string;
  readonly access: Access;
  /**
   * Also for tokens that are bound to functions or tenants: the handler shows and changes only what `caller` covers. Absent: such tokens
   * are refused, unless the address names a function or a tenant, which is checked for all endpoints alike.
   */
  readonly partial?: boolean;
  /** Of a GET: members of the answer that change by themselves, such as figures, and are left out of its entity tag; true: it has none. */
  readonly volatile?: true | readonly string[];
  readonly params: z.ZodType<P>;
  readonly query: z.ZodType<Q>;
  readonly body?: BodySpec<B>;
  /** Schema of each success; a string is the media type of one that is not JSON. */
  readonly answers: Readonly<Record<number, z.ZodType | string>>;
  readonly errors: readonly ErrorCode[];
  readonly handle: (input: Input<P, Q, B>) => Promise<Answer | Response> | Answer | Response;
}

/** An endpoint whose types the router does not need to know: it parses with the same schemas that gave them. */
export type Endpoint = Omit<EndpointSpec<unknown, unknown, unknown>, 'handle'> & { readonly handle: (input: Input<never, never, never>) => Promise<Answer | Response> | Answer | Response };

export function endpoint<P, Q, B>(spec: EndpointSpec<P, Q, B>): Endpoint {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion, typescript/no-unnecessary-type-assertion -- the types of input meet again in app.ts, by the schemas they come from
  return spec as unknown as Endpoint;
}
