import { createRouter, createWebHistory } from 'vue-router'

import { isLanguage, language, setLanguage, t, type MessageKey } from '@/i18n'
import { single } from '@/lib/url'

declare module 'vue-router' {
  interface RouteMeta {
    title: MessageKey
  }
}

/** Entries of the query that belong to the whole application and go with the reader from page to page. */
const CARRIED = ['as_of', 'lang'] as const

export const router = createRouter({
  history: createWebHistory(),
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
  routes: [
    { path: '/', name: 'board', component: () => import('@/pages/board/BoardPage.vue'), meta: { title: 'nav.board' } },
    {
      path: '/indicators/:id',
      name: 'indicator',
      component: () => import('@/pages/indicator/IndicatorPage.vue'),
      meta: { title: 'indicator.page' },
    },
    { path: '/map', name: 'map', component: () => import('@/pages/map/MapPage.vue'), meta: { title: 'nav.map' } },
    {
      path: '/series',
      name: 'series',
      component: () => import('@/pages/series/SeriesPage.vue'),
      meta: { title: 'nav.series' },
    },
    {
      path: '/air/calendar',
      name: 'calendar',
      component: () => import('@/pages/calendar/CalendarPage.vue'),
      meta: { title: 'nav.calendar' },
    },
    {
      path: '/imports/:id?',
      name: 'imports',
      component: () => import('@/pages/imports/ImportsPage.vue'),
      meta: { title: 'nav.imports' },
    },
    {
      path: '/:rest(.*)*',
      name: 'missing',
      component: () => import('@/pages/NotFoundPage.vue'),
      meta: { title: 'missing.title' },
    },
  ],
})

router.beforeEach((to, from) => {
  const query = { ...to.query }
  let changed = false
  if (to.path !== from.path) {
    for (const name of CARRIED) {
      if (query[name] === undefined && from.query[name] !== undefined) {
        query[name] = from.query[name]
        changed = true
      }
    }
  }
  return changed ? { path: to.path, query, hash: to.hash, replace: true } : true
})

router.afterEach((to) => {
  const asked = single(to.query['lang'])
  if (isLanguage(asked) && asked !== language.value) setLanguage(asked)
  titlePage(t(to.meta.title))
})

/** The title of the browser's tab and of the printed sheet. */
export function titlePage(page: string): void {
  document.title = `${page} · ${t('app.name')}`
}
