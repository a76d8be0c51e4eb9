export { KeywrightSignIn } from './sign-in';
