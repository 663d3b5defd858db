// What the packages behind these modules want of util: less than all of it, and nothing that is made of them.
import types from '../util/types.ts';
import { format, inspect } from './inspect.ts';

export const { isDate, isMap, isRegExp, isSet } = types;
export default { format, inspect, types };
