import { provideZoneChangeDetection, type EnvironmentProviders } from '@angular/core';

/** For applications that still have zone.js: `ng build --configuration zone` puts this file in the other's place. */
export function provideChangeDetection(): EnvironmentProviders {
  return provideZoneChangeDetection({ eventCoalescing: true, runCoalescing: true });
}
