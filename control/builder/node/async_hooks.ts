// node:async_hooks: the runtime's own, since only it sees every callback that it calls later.
const runtime = /* @__PURE__ */ __thimble('node:async_hooks');

export const AsyncLocalStorage = /* @__PURE__ */ (() => runtime.AsyncLocalStorage)();
export const AsyncResource = /* @__PURE__ */ (() => runtime.AsyncResource)();
export const createHook = /* @__PURE__ */ (() => runtime.createHook)();
export const executionAsyncId = /* @__PURE__ */ (() => runtime.executionAsyncId)();
export const executionAsyncResource = /* @__PURE__ */ (() => runtime.executionAsyncResource)();
export const triggerAsyncId = /* @__PURE__ */ (() => runtime.triggerAsyncId)();
export default runtime;
