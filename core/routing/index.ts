// Routing rules, pure: the table's form and which version a request gets.
export { routeDeltaSchema, routeFunctionSchema, routeTableSchema } from './table.ts';
export type { RouteDelta, RouteFunction, RouteTable } from './table.ts';
export { hashToUnit, matches, pickVersion } from './pick-version.ts';
export type { RequestFacts } from './pick-version.ts';
