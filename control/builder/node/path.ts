// node:path, POSIX, by `path-browserify`; functions run on Linux, and there is no current folder but `/`.
import base from 'path-browserify';
import { notAvailable } from './internal/not-available.ts';

export const { basename, delimiter, dirname, extname, format, isAbsolute, join, normalize, parse, relative, resolve, sep } = base;
export const toNamespacedPath = (path: string): string => path;
export const matchesGlob = notAvailable('path.matchesGlob');
export const posix = { basename, delimiter, dirname, extname, format, isAbsolute, join, matchesGlob, normalize, parse, relative, resolve, sep, toNamespacedPath, posix: {} as unknown };
posix.posix = posix;
export default posix;
