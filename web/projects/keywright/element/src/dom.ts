/** Builds an element. What is undefined or false is left out. */
export function create<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Readonly<Record<string, string | undefined | false>> = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (typeof value === 'string') element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const pictures = {
  warning: 'M8 1.5 15 14H1zM8 6v4m0 2v.01',
  tick: 'm2 8.5 4 4 8-9',
  eye: 'M1 8s2.5-4.5 7-4.5S15 8 15 8s-2.5 4.5-7 4.5S1 8 1 8zm9 0a2 2 0 1 1-4 0 2 2 0 0 1 4 0z',
  stroke: 'm2.5 2.5 11 11',
};

/** Draws what words beside it say. */
export function icon(...names: (keyof typeof pictures)[]): SVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  for (const name of names) {
    const path = document.createElementNS(svg.namespaceURI, 'path');
    path.setAttribute('d', pictures[name]);
    svg.append(path);
  }
  return svg as SVGElement;
}
