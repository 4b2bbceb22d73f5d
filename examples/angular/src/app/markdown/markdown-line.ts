import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';
import { parseLine } from './parse-markdown';

/** A line of Markdown. A line that has not changed is not read again. */
@Component({
  // An attribute, so that the line is the paragraph, the heading or the item that it stands in.
  selector: '[appLine]',
  changeDetection: ChangeDetectionStrategy.OnPush,
  styles: `
    code {
      padding: 0.1em 0.3em;
      border-radius: 0.3em;
      background: var(--tint);
      font-size: 0.9em;
    }
    a {
      color: var(--accent-text);
    }
  `,
  // As `textContent`: the template's own spaces would show between the pieces.
  template: `
    @for (piece of pieces(); track $index) {
      @switch (piece.kind) {
        @case ('text') {
          <span [textContent]="piece.text"></span>
        }
        @case ('code') {
          <code [textContent]="piece.text"></code>
        }
        @case ('strong') {
          <strong [textContent]="piece.text"></strong>
        }
        @case ('emphasis') {
          <em [textContent]="piece.text"></em>
        }
        @case ('link') {
          <a [href]="piece.href" [textContent]="piece.text" target="_blank" rel="noopener noreferrer"></a>
        }
      }
    }
  `,
})
export class MarkdownLine {
  readonly appLine = input.required<string>();

  protected readonly pieces = computed(() => parseLine(this.appLine()));
}
