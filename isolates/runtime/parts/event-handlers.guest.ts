// Events: `scheduled`, `queue` and business calls that come through the dispatcher instead of HTTP. The answer is JSON for who sent the event.
import { EVENT } from '../abi-shapes.ts';
import { readText } from '../body.guest.ts';
import { describeThrown } from '../errors.guest.ts';
import { Failure } from '../invocation.guest.ts';
import type { ExecutionContext, Handler } from '../invocation.guest.ts';
import { loaded } from '../module.guest.ts';
import { JSONParse, JSONStringify, reflectApply } from '../primordials.guest.ts';
import { loadPart } from '../parts.guest.ts';
import { stateOfRequest } from '../request.guest.ts';
import type { Request, RequestState } from '../request.guest.ts';
import { Response } from '../response.guest.ts';
import { exportedFunction, exportedNames, mainExport } from './shapes/exports.guest.ts';
import type { AnyFunction } from './shapes/exports.guest.ts';
import { MessageBatch, outcomesOf } from './shapes/message-batch.guest.ts';
import type { QueueEvent } from './shapes/message-batch.guest.ts';

interface BusinessPart {
  businessHandler: Handler;
  callOperation(operation: AnyFunction, args: unknown[], request: Request, ctx: ExecutionContext): Promise<Response | Failure>;
}

/** ScheduledController of Workers. */
class ScheduledController {
  readonly cron: string;
  readonly scheduledTime: number;
  readonly type = 'scheduled';
  #noRetry = false;

  constructor(cron: string, scheduledTime: number) {
    this.cron = cron;
    this.scheduledTime = scheduledTime;
  }

  /** Whoever schedules shall not repeat it if it fails. */
  noRetry(): void {
    this.#noRetry = true;
  }

  static retries(controller: ScheduledController): boolean {
    return !controller.#noRetry;
  }
}
const { retries } = ScheduledController;
delete (ScheduledController as { retries?: unknown }).retries;

/** The handler of every event: the method of the head is its kind, the body its JSON. */
export const handleEvent: Handler = async (request, env, ctx) => {
  const kind = request.method;
  const event = JSONParse(await readText((stateOfRequest(request) as RequestState).body)) as Record<string, unknown>;
  if (kind === EVENT.business) return business(event['export'] as string, event['args'] as unknown[], request, ctx);
  const name = kind === EVENT.scheduled ? 'scheduled' : 'queue';
  const main = mainExport();
  const handler = (typeof main === 'object' || typeof main === 'function') && main !== null ? (main as Record<string, unknown>)[name] : undefined;
  if (typeof handler !== 'function' || loaded.shape !== 'auto' && loaded.shape !== 'fetch') return unheard('event.type', `the function has no ${name} handler`);
  return name === 'scheduled' ? scheduled(handler as AnyFunction, main, event, env, ctx) : queue(handler as AnyFunction, main, event as unknown as QueueEvent, env, ctx);
};

async function scheduled(handler: AnyFunction, self: unknown, event: Record<string, unknown>, env: unknown, ctx: ExecutionContext): Promise<Response | Failure> {
  const controller = new ScheduledController(event['cron'] as string, event['scheduledTime'] as number);
  try {
    await reflectApply(handler, self, [controller, env, ctx]);
  } catch (thrown) {
    return threw(thrown, { retry: retries(controller) });
  }
  return answer({});
}

async function queue(handler: AnyFunction, self: unknown, event: QueueEvent, env: unknown, ctx: ExecutionContext): Promise<Response | Failure> {
  const batch = new MessageBatch(event);
  try {
    await reflectApply(handler, self, [batch, env, ctx]);
  } catch (thrown) {
    return threw(thrown, { messages: outcomesOf(batch, true) });
  }
  return answer({ messages: outcomesOf(batch, false) });
}

function business(name: string, args: unknown[], request: Request, ctx: ExecutionContext): Promise<Response | Failure> | Failure {
  const part = loadPart<BusinessPart>('business');
  if (loaded.handler !== part.businessHandler) return unheard('event.type', 'the function is not of the business shape');
  const operation = exportedFunction(name);
  if (operation === undefined) return unheard('event.export', `must be one of ${JSONStringify(exportedNames())}`);
  return part.callOperation(operation, args, request, ctx);
}

/** The event is one that this function can't take: its sender's fault. */
function unheard(path: string, message: string): Failure {
  return new Failure('invalid', message, '', JSONStringify({ errors: [{ path, message }] }));
}

function threw(thrown: unknown, params: object): Failure {
  const { message, stack } = describeThrown(thrown);
  return new Failure('function_threw', message, stack, JSONStringify({ outcome: params }));
}

function answer(outcome: object): Response {
  return new Response(JSONStringify(outcome), { headers: { 'content-type': 'application/json' } });
}

