// The endpoints of /v1, one declaration each, by what they are about. HTTP stops here: what they do is in model/ and its neighbours.
import { alertEndpoints } from './alert-endpoints.ts';
import { auditEndpoints } from './audit-endpoints.ts';
import { backupEndpoints } from './backup-endpoints.ts';
import { emergencyEndpoints } from './emergency-endpoints.ts';
import type { Endpoint } from './endpoint.ts';
import { functionEndpoints } from './function-endpoints.ts';
import { observingEndpoints } from './observing-endpoints.ts';
import { seriesEndpoints } from './series-endpoints.ts';
import { purgeEndpoints } from './purge-endpoints.ts';
import { rolloutEndpoints } from './rollout-endpoints.ts';
import type { Services } from './services.ts';
import { shadowEndpoints } from './shadow-endpoints.ts';
import { tenantEndpoints } from './tenant-endpoints.ts';
import { trafficEndpoints } from './traffic-endpoints.ts';
import { tokenEndpoints } from './token-endpoints.ts';
import { versionNameEndpoints } from './version-name-endpoints.ts';
import { versionEndpoints } from './version-endpoints.ts';

export function endpoints(services: Services): Endpoint[] {
  return [
    ...functionEndpoints(services),
    ...versionEndpoints(services),
    ...versionNameEndpoints(services),
    ...purgeEndpoints(services),
    ...backupEndpoints(services),
    ...trafficEndpoints(services),
    ...rolloutEndpoints(services),
    ...shadowEndpoints(services),
    ...tenantEndpoints(services),
    ...observingEndpoints(services),
    ...seriesEndpoints(services),
    ...alertEndpoints(services),
    ...auditEndpoints(services),
    ...tokenEndpoints(services),
    ...emergencyEndpoints(services),
  ];
}
