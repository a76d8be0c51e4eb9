// A relying party of a page alone: oauth4webapi in the browser, and localStorage.
import * as oauth from '/oauth4webapi.js';

const { issuer, client_id } = await (await fetch('/settings.json')).json();
const client = { client_id };
const insecure = { [oauth.allowInsecureRequests]: true };
const as = await oauth.processDiscoveryResponse(new URL(issuer), await oauth.discoveryRequest(new URL(issuer), insecure));
const redirectURI = location.origin + '/callback';

async function signIn(parameters) {
  const begun = { state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(), verifier: oauth.generateRandomCodeVerifier() };
  localStorage.setItem(begun.state, JSON.stringify(begun));
  leave(as.authorization_endpoint, {
    client_id, redirect_uri: redirectURI, response_type: 'code', scope: 'openid profile email', state: begun.state, nonce: begun.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(begun.verifier), code_challenge_method: 'S256', ...parameters,
  });
}

async function finish(url) {
  const begun = JSON.parse(localStorage.getItem(url.searchParams.get('state')));
  const answer = oauth.validateAuthResponse(as, client, url, begun.state);
  const response = await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), answer, redirectURI, begun.verifier, insecure);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: begun.nonce, requireIdToken: true });
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);
  const info = await oauth.userInfoRequest(as, client, tokens.access_token, insecure);
  const { name } = await oauth.processUserInfoResponse(as, client, sub, info);
  localStorage.setItem('person', JSON.stringify({ name, idToken: tokens.id_token }));
}

function signOut() {
  const { idToken } = JSON.parse(localStorage.getItem('person'));
  localStorage.removeItem('person');
  leave(as.end_session_endpoint, { id_token_hint: idToken, post_logout_redirect_uri: location.origin + '/' });
}

function leave(endpoint, parameters) {
  location.assign(endpoint + '?' + new URLSearchParams(parameters));
}

function show(refused) {
  const person = JSON.parse(localStorage.getItem('person'));
  document.getElementById('person').textContent = refused ?? (person ? 'Hello, ' + person.name : 'Nobody is signed in');
}

document.getElementById('sign-in').onclick = () => signIn();
document.getElementById('silent').onclick = () => signIn({ prompt: 'none' });
document.getElementById('sign-out').onclick = signOut;
addEventListener('storage', () => show()); // another tab, or the frame that the sign-out page loads

let refused;
if (location.pathname === '/callback') {
  await finish(new URL(location.href)).catch((e) => (refused = e.error ?? e.message));
  history.replaceState(null, '', '/');
}
show(refused);
for (const button of document.querySelectorAll('button')) button.disabled = false; // nobody presses one before it does something
