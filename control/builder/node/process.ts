// node:process: the runtime's process object, the same that the free name `process` is.
const process = /* @__PURE__ */ __thimble('process');

export const { arch, argv, cwd, emitWarning, env, exit, hrtime, memoryUsage, nextTick, off, on, once, pid, platform, release, stderr, stdin, stdout, title, uptime, version, versions } = process;
export default process;
