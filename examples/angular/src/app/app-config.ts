/** Where the functions are, and who calls them. Served as `config.json`, so that one build runs everywhere. */
export interface AppConfig {
  readonly region: string;
  /** A local endpoint; AWS's own where it is absent. */
  readonly endpoint?: string;
  /** Visitors get temporary credentials from this Cognito identity pool. */
  readonly identityPoolId?: string;
  /** Fixed credentials, for a local endpoint that checks none. Never those of an AWS account. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export async function loadConfig(): Promise<AppConfig> {
  const response = await fetch('config.json');
  if (!response.ok) throw new Error(`config.json: HTTP ${response.status}`);
  return (await response.json()) as AppConfig;
}
