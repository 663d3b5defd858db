// Routing rules, pure: the table's form and which version a request gets.
export { routeDeltaSchema, routeFunctionSchema, routeTableSchema } from './table.ts';
export type { RouteDelta, RouteFunction, RouteTable } from './table.ts';
export { Choice, MAX_KEY_CHARACTERS, onlyVersionOf } from './choice.ts';
export type { RequestFacts } from './choice.ts';
export { hash32, hashToUnit } from './hash.ts';
export { PLACES, PlaceIndex, placesFor } from './places.ts';
export type { Places } from './places.ts';
