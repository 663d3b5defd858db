// The snapshot's modules as the parts see them. The build of the platform replaces this module: it lists every export that a part uses, and parts ask by place.
export const modules: readonly unknown[] = [];
