/**
 * The look of Keywright's own pages. It follows the page's `color-scheme`, and a page changes it by
 * `--keywright-primary` (the filled button, links, the focus ring), `-on-primary`, `-text`, `-muted`, `-card`,
 * `-hairline`, `-field`, `-line` (round fields), `-danger`, `-danger-tint`, `-good`, `-good-tint`, `-radius`, `-padding`
 * and `-font`.
 */
const css = `
keywright-sign-in {
  --primary: var(--keywright-primary, light-dark(#2b5bd7, #8fb0ff));
  --on-primary: var(--keywright-on-primary, light-dark(#ffffff, #000000));
  --text: var(--keywright-text, light-dark(#1c2024, #edeef0));
  --muted: var(--keywright-muted, light-dark(#60646c, #b0b4ba));
  --hairline: var(--keywright-hairline, light-dark(#d9dce1, #34383f));
  --line: var(--keywright-line, light-dark(#878b94, #777c85));
  --danger: var(--keywright-danger, light-dark(#b4232a, #ff9592));
  --good: var(--keywright-good, light-dark(#18794e, #7fd6a4));
  --radius: var(--keywright-radius, 12px);
  --corner: calc(var(--radius) * 2 / 3);
  display: block;
  box-sizing: border-box;
  max-width: 25em;
  padding: var(--keywright-padding, 32px 40px);
  background: var(--keywright-card, light-dark(#ffffff, #1b1e23));
  color: var(--text);
  border: 1px solid var(--hairline);
  border-radius: var(--radius);
  font: var(--keywright-font, max(16px, 1em)/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
  letter-spacing: normal;
  text-align: start;
  text-transform: none;

  &[hidden] { display: none; }

  & :is(form, div, p, span, h2, label, input, button, svg) { all: revert; box-sizing: border-box; } /* what the page made of them */
  & :is(form, p) { margin: 0; }
  & h2 { margin: 0 0 24px; color: inherit; font: inherit; font-size: 1.5em; font-weight: 600; line-height: 1.4; overflow-wrap: anywhere; }

  & label { display: block; margin: 16px 0 4px; color: inherit; font-size: .875em; font-weight: 600; }
  & input {
    display: block;
    width: 100%;
    min-height: 44px;
    margin: 0;
    padding: 8px 12px;
    background: var(--keywright-field, light-dark(#ffffff, #111317));
    color: inherit;
    border: 1px solid var(--line);
    border-radius: var(--corner);
    font: inherit;
  }
  & [aria-invalid="true"] { padding-block: 7px; border: 2px solid var(--danger); }
  & .kw-password { position: relative; }
  & .kw-password input { padding-inline-end: 48px; }
  & .kw-password input::-ms-reveal { display: none; }
  & .kw-hint { margin-top: 4px; color: var(--muted); font-size: .875em; }

  & svg { flex: none; width: 16px; height: 16px; margin-top: 3px; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
  & :is([role="alert"], [role="status"]) p, & .kw-problem { display: flex; gap: 8px; align-items: flex-start; font-size: .875em; overflow-wrap: anywhere; }
  & [role="alert"] p { margin-bottom: 16px; padding: 12px; background: var(--keywright-danger-tint, light-dark(#fdf0f0, #3a1719)); color: var(--danger); border: 1px solid; border-radius: var(--corner); }
  & [role="status"] p { margin-bottom: 16px; padding: 12px; background: var(--keywright-good-tint, light-dark(#edf7f1, #132d20)); border: 1px solid var(--good); border-radius: var(--corner); }
  & [role="status"] svg { color: var(--good); }
  & [role="alert"] [aria-hidden] { font-variant-numeric: tabular-nums; }
  & .kw-problem { margin-top: 4px; color: var(--danger); }
  & .kw-unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

  & button { font: inherit; cursor: pointer; }
  & .kw-primary {
    display: block;
    width: 100%;
    min-height: 44px;
    margin: 24px 0 0;
    padding: 8px 16px;
    background: var(--primary);
    color: var(--on-primary);
    border: 1px solid transparent;
    border-radius: var(--corner);
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  & .kw-primary:hover { background: color-mix(in srgb, var(--primary), var(--text) 10%); }
  & .kw-primary:active { background: color-mix(in srgb, var(--primary), var(--text) 20%); }
  & .kw-primary[aria-disabled="true"] { background: color-mix(in srgb, var(--text), transparent 90%); color: var(--muted); cursor: default; }
  & .kw-eye {
    position: absolute;
    inset-block: 0;
    inset-inline-end: 0;
    display: grid;
    place-content: center;
    width: 44px;
    min-height: 44px;
    margin: 0;
    padding: 0;
    background: none;
    color: var(--muted);
    border: 0;
    border-radius: var(--corner);
  }
  & .kw-eye:hover { color: var(--text); }
  & .kw-eye svg { width: 20px; height: 20px; margin: 0; stroke-width: 1.25; }
  & .kw-eye[aria-pressed="false"] path + path { display: none; }
  & .kw-link {
    min-height: 44px;
    margin: -12px 0;
    padding: 0;
    background: none;
    color: var(--primary);
    border: 0;
    font-weight: 600;
    text-decoration: underline;
    text-underline-offset: 2px;
  }
  & .kw-aside { margin-top: 24px; padding-top: 24px; border-top: 1px solid var(--hairline); font-size: .875em; }
  & :focus-visible { outline: 2px solid var(--primary); outline-offset: 2px; }

  &:not(:has(input)) { padding: 0; background: none; border: 0; } /* one button needs no card */
  &:not(:has(input)) h2 { position: absolute; clip-path: inset(50%); }
  &:not(:has(input)) .kw-primary { margin: 0; }

  @media (max-width: 480px) { &:has(input) { padding: var(--keywright-padding, 20px); } }
  @media (forced-colors: active) {
    & .kw-primary { border-color: ButtonBorder; }
    & .kw-primary[aria-disabled="true"] { border-color: GrayText; color: GrayText; }
    & :focus-visible { outline-color: Highlight; }
  }
}`;

const sheets = new WeakMap<Document, CSSStyleSheet>();

/** Gives the document, or the shadow root, that an element is in its style: once, and in a way that a strict CSP allows. */
export function adopt(element: HTMLElement): void {
  const root = element.getRootNode() as Document | ShadowRoot;
  const sheet = sheetFor(element.ownerDocument);
  if (!root.adoptedStyleSheets || !sheet) return; // a plain form serves too
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
}

/** Documents cannot share a sheet. */
function sheetFor(document: Document): CSSStyleSheet | undefined {
  const { defaultView: window } = document;
  if (!window || sheets.has(document)) return sheets.get(document);
  const sheet = new window.CSSStyleSheet();
  sheet.replaceSync(css);
  sheets.set(document, sheet);
  return sheet;
}
