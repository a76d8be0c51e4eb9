/** Gives a class of elements a property that is an attribute too: frameworks set a property only where the class has it. */
export function reflect(
  { prototype }: typeof HTMLElement, property: string, attribute: string, read: (value: string | null) => unknown = (value) => value,
): void {
  Object.defineProperty(prototype, property, {
    configurable: true,
    enumerable: true,
    get(this: HTMLElement) {
      return read(this.getAttribute(attribute));
    },
    set(this: HTMLElement, value: unknown) {
      if (value === false || value == null) this.removeAttribute(attribute);
      else this.setAttribute(attribute, String(value));
    },
  });
}

/** Reads an attribute as Angular's `booleanAttribute` does: some frameworks write "false". */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== 'false';
}

/** Sets again what was set before the element was defined, when it had no accessors. */
export function takeProperties(element: HTMLElement): void {
  for (const [name, value] of Object.entries(element)) {
    if (!(name in Object.getPrototypeOf(element))) continue;
    Reflect.deleteProperty(element, name);
    Reflect.set(element, name, value);
  }
}
