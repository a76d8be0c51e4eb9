import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { keywrightInterceptor } from '@keywright/angular';
import { provideKeywrightTesting } from '@keywright/angular/testing';
import { expect, it, vi } from 'vitest';
import Notes from './notes';

it('greets who is signed in, with a token', async () => {
  TestBed.configureTestingModule({
    providers: [
      provideKeywrightTesting({ user: { id: '1', name: 'Ada' }, apis: ['http://localhost:10102/'] }),
      provideHttpClient(withInterceptors([keywrightInterceptor])),
      provideHttpClientTesting(),
    ],
  });
  const notes = TestBed.createComponent(Notes);
  notes.detectChanges();
  expect(notes.nativeElement.textContent).toContain('Notes of Ada');
  const http = TestBed.inject(HttpTestingController);
  await vi.waitFor(() => expect(http.expectOne('http://localhost:10102/').request.headers.get('Authorization')).toBe('Bearer testing'));
});
