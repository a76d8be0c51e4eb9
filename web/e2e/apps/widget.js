// Shows whom the tokens of the event speak for, and keeps what the event said for tests to read.
const widget = document.querySelector('keywright-sign-in');

document.addEventListener('signed-in', async ({ detail }) => {
  window.signedIn = detail;
  const answer = await fetch(widget.getAttribute('issuer') + '/profile', { headers: { Authorization: `Bearer ${detail.accessToken}` } });
  document.querySelector('#person').textContent = 'Hello, ' + (await answer.json()).name;
});
