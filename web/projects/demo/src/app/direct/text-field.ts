import { Component, input, signal } from '@angular/core';

/** A field that must be filled in, with its label, a hint, and what is wrong with what was typed. */
@Component({
  selector: 'app-text-field',
  template: `
    <label [for]="name()">{{ label() }}</label>
    <input
      #field
      required
      [id]="name()"
      [name]="name()"
      [type]="type()"
      [value]="value()"
      [autocomplete]="autocomplete()"
      [attr.minlength]="minLength()"
      [attr.maxlength]="maxLength()"
      [attr.aria-invalid]="problem() ? true : null"
      [attr.aria-describedby]="name() + '-hint'"
      (invalid)="$event.preventDefault(); complain(field)"
      (input)="forgive(field)"
    />
    <div [id]="name() + '-hint'">
      @if (problem()) {
        <p class="problem">{{ problem() }}</p>
      } @else if (hint()) {
        <p class="hint">{{ hint() }}</p>
      }
    </div>
  `,
})
export class TextField {
  readonly name = input.required<string>();
  readonly label = input.required<string>();
  readonly autocomplete = input.required<AutoFill>();
  readonly type = input('text');
  readonly value = input('');
  readonly hint = input<string>();
  readonly minLength = input<number>();
  readonly maxLength = input<number>();

  protected readonly problem = signal('');

  /** Says beside the field, where it stays, what the browser would say in a bubble. */
  protected complain(field: HTMLInputElement): void {
    this.problem.set(field.validationMessage);
    if (field === field.form?.querySelector(':invalid')) field.focus();
  }

  protected forgive(field: HTMLInputElement): void {
    field.setCustomValidity('');
    this.problem.set('');
  }
}
