import type { Routes } from '@angular/router';

export const routes: Routes = [
  { path: '', title: 'Chat', loadComponent: () => import('./chat/chat').then(({ Chat }) => Chat) },
  { path: 'orders', title: 'Orders', loadComponent: () => import('./orders/orders').then(({ Orders }) => Orders) },
  { path: '**', redirectTo: '' },
];
