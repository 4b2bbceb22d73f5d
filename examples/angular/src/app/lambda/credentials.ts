import type { LambdaClientConfig } from '@aws-sdk/client-lambda';
import type { AppConfig } from '../app-config';

type Credentials = NonNullable<LambdaClientConfig['credentials']>;

/** Credentials as a function: the SDK calls it when it first needs some, and again before they expire. */
export function credentialsOf({ region, identityPoolId, credentials }: AppConfig): Credentials {
  return async () => {
    if (credentials !== undefined) return credentials;
    if (identityPoolId === undefined) throw new Error('config.json has neither identityPoolId nor credentials');
    // A chunk of its own, which a page with fixed credentials never loads.
    const { fromCognitoIdentityPool } = await import('@aws-sdk/credential-provider-cognito-identity');
    return fromCognitoIdentityPool({ clientConfig: { region }, identityPoolId })();
  };
}
