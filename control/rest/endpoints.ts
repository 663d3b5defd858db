// The endpoints of /v1, one declaration each, by what they are about. HTTP stops here: what they do is in model/ and its neighbours.
import { emergencyEndpoints } from './emergency-endpoints.ts';
import type { Endpoint } from './endpoint.ts';
import { functionEndpoints } from './function-endpoints.ts';
import { observingEndpoints } from './observing-endpoints.ts';
import { seriesEndpoints } from './series-endpoints.ts';
import type { Services } from './services.ts';
import { tenantEndpoints } from './tenant-endpoints.ts';
import { trafficEndpoints } from './traffic-endpoints.ts';
import { versionEndpoints } from './version-endpoints.ts';

export function endpoints(services: Services): Endpoint[] {
  return [...functionEndpoints(services), ...versionEndpoints(services), ...trafficEndpoints(services), ...tenantEndpoints(services), ...emergencyEndpoints(services), ...observingEndpoints(services), ...seriesEndpoints(services)];
}
