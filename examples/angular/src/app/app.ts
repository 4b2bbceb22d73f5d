import { ChangeDetectionStrategy, Component } from '@angular/core';
import { RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';

@Component({
  selector: 'app-root',
  imports: [RouterLink, RouterLinkActive, RouterOutlet],
  changeDetection: ChangeDetectionStrategy.OnPush,
  styleUrl: './app.css',
  template: `
    <header>
      <span class="brand"><span class="mark" aria-hidden="true">λ</span> Lambda streams</span>
      <nav aria-label="Pages">
        <a
          routerLink="/"
          routerLinkActive="active"
          ariaCurrentWhenActive="page"
          [routerLinkActiveOptions]="{ exact: true }"
          >Chat</a
        >
        <a routerLink="/orders" routerLinkActive="active" ariaCurrentWhenActive="page">Orders</a>
      </nav>
    </header>
    <main><router-outlet /></main>
  `,
})
export class App {}
