import type { LocalFunctionConfig } from '../runtime/local-function.js';

/** The version that a qualifier leads to; undefined where the function has no such alias or version. */
export function resolveVersion(config: LocalFunctionConfig, qualifier: string | undefined): string | undefined {
  if (qualifier === undefined || qualifier === '$LATEST') return '$LATEST';
  if (/^\d+$/.test(qualifier)) {
    return config.versions === undefined || config.versions.includes(qualifier) ? qualifier : undefined;
  }
  if (config.aliases === undefined) return '$LATEST';
  return Object.hasOwn(config.aliases, qualifier) ? config.aliases[qualifier] : undefined;
}
