// The entry of a function in workerd that registers a server workerd does not have; the others are their own entry.
import './worker-shims.js';
import * as module from 'function-under-test';
import { handlerOf } from './shims.js';

const handler = handlerOf(module);

export default { fetch: (request, env, ctx) => handler(request, env, ctx) };
