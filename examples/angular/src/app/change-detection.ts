import { provideZonelessChangeDetection, type EnvironmentProviders } from '@angular/core';

/** Signals alone say what to render. Angular 21 needs no provider for it; here it stands beside its alternative. */
export function provideChangeDetection(): EnvironmentProviders {
  return provideZonelessChangeDetection();
}
