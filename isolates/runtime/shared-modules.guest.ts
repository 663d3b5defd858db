// The snapshot's modules as the parts see them. The build of the platform replaces this module: it lists every export of every module beside it.
export const modules: Readonly<Record<string, unknown>> = {};
