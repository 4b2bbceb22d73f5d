import '@angular/compiler';
import { provideZonelessChangeDetection, type EnvironmentProviders } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { BrowserTestingModule, platformBrowserTesting } from '@angular/platform-browser/testing';
import { afterEach, beforeEach } from 'vitest';

/** Angular's TestBed for the tests of a file, by default without zone.js. Components are compiled at run time. */
export function useTestBed(changeDetection: EnvironmentProviders = provideZonelessChangeDetection()): void {
  TestBed.initTestEnvironment(BrowserTestingModule, platformBrowserTesting(), {
    teardown: { destroyAfterEach: true },
  });
  beforeEach(() => void TestBed.configureTestingModule({ providers: [changeDetection] }));
  afterEach(() => void TestBed.resetTestingModule());
}
