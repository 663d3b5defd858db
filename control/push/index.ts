// Route revisions to gateways.
export { RoutePush } from './route-push.ts';
export type { RoutePushOptions, RouteSource } from './route-push.ts';
