import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';
import { MarkdownLine } from './markdown-line';
import { parseBlocks } from './parse-markdown';

/** Markdown as elements. Nothing of the text becomes HTML. */
@Component({
  selector: 'app-markdown',
  imports: [MarkdownLine],
  changeDetection: ChangeDetectionStrategy.OnPush,
  styleUrl: './markdown-view.css',
  host: { '[class.growing]': 'isGrowing()' },
  template: `
    @for (block of blocks(); track $index) {
      @switch (block.kind) {
        @case ('line') {
          <p [appLine]="block.text"></p>
        }
        @case ('heading') {
          <h3 [appLine]="block.text"></h3>
        }
        @case ('code') {
          <pre tabindex="0"><code [textContent]="block.text"></code></pre>
        }
        @case ('list') {
          @if (block.isOrdered) {
            <ol [start]="block.start">
              @for (item of block.items; track $index) {
                <li [appLine]="item"></li>
              }
            </ol>
          } @else {
            <ul>
              @for (item of block.items; track $index) {
                <li [appLine]="item"></li>
              }
            </ul>
          }
        }
      }
    }
  `,
})
export class MarkdownView {
  readonly text = input.required<string>();
  /** Shows a caret at the end. */
  readonly isGrowing = input(false);

  protected readonly blocks = computed(() => parseBlocks(this.text()));
}
