import * as oauth from 'oauth4webapi';

/** What an app remembers while a person is away to sign in. */
export interface Begun {
  url: URL;
  state: string;
  nonce: string;
  verifier: string;
}

export interface SignedIn {
  accessToken: string;
  refreshToken?: string;
  idToken: string;
  claims: oauth.IDToken;
}

const insecure = { [oauth.allowInsecureRequests]: true }; // plain http, on this machine

export type Parameters = Record<string, string>;

/** A relying party by the book: oauth4webapi with every check that it has. */
export class RelyingParty {
  readonly as: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly #auth: oauth.ClientAuth;
  readonly redirectURI: string;

  private constructor(as: oauth.AuthorizationServer, client: oauth.Client, auth: oauth.ClientAuth, redirectURI: string) {
    this.as = as;
    this.client = client;
    this.#auth = auth;
    this.redirectURI = redirectURI;
  }

  static async discover(issuer: string, client: oauth.Client, auth: oauth.ClientAuth, redirectURI: string): Promise<RelyingParty> {
    const url = new URL(issuer);
    const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure));
    return new RelyingParty(as, client, auth, redirectURI);
  }

  /** The request that sends a person to sign in; an empty parameter leaves one out. */
  async begin(parameters: Parameters = {}): Promise<Begun> {
    const begun = {
      url: new URL(this.as.authorization_endpoint!), state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(), verifier: oauth.generateRandomCodeVerifier(),
    };
    const query = {
      client_id: this.client.client_id, redirect_uri: this.redirectURI, response_type: 'code', scope: 'openid profile email',
      state: begun.state, nonce: begun.nonce, code_challenge: await oauth.calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: 'S256', ...parameters,
    };
    for (const [name, value] of Object.entries(query)) if (value) begun.url.searchParams.set(name, value);
    return begun;
  }

  /** Redeems what came back, and believes nothing that it can check. */
  async finish(answer: URL | URLSearchParams, begun: Begun): Promise<SignedIn> {
    const validated = oauth.validateAuthResponse(this.as, this.client, answer, begun.state);
    const response = await oauth.authorizationCodeGrantRequest(
      this.as, this.client, this.#auth, validated, this.redirectURI, begun.verifier, insecure,
    );
    const tokens = await oauth.processAuthorizationCodeResponse(this.as, this.client, response, {
      expectedNonce: begun.nonce, requireIdToken: true,
    });
    await oauth.validateApplicationLevelSignature(this.as, response, insecure);
    return {
      accessToken: tokens.access_token, refreshToken: tokens.refresh_token, idToken: tokens.id_token!,
      claims: oauth.getValidatedIdTokenClaims(tokens)!,
    };
  }

  async userInfo(signedIn: SignedIn): Promise<oauth.UserInfoResponse> {
    const response = await oauth.userInfoRequest(this.as, this.client, signedIn.accessToken, insecure);
    return oauth.processUserInfoResponse(this.as, this.client, signedIn.claims.sub, response);
  }

  async refresh(refreshToken: string): Promise<oauth.TokenEndpointResponse> {
    const response = await oauth.refreshTokenGrantRequest(this.as, this.client, this.#auth, refreshToken, insecure);
    return oauth.processRefreshTokenResponse(this.as, this.client, response);
  }

  async revoke(token: string): Promise<void> {
    const response = await oauth.revocationRequest(this.as, this.client, this.#auth, token, insecure);
    await oauth.processRevocationResponse(response);
  }

  /** Where a person is sent to sign out. OpenID Connect RP-Initiated Logout 1.0 §2. */
  endSession(parameters: Parameters): URL {
    const url = new URL(this.as.end_session_endpoint!);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url;
  }
}
