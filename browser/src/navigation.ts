import type { Meta } from '@/api'
import type { MessageKey } from '@/i18n'

export interface Entry {
  /** The page's id, as the city pack's `pages` names it. */
  page: string
  to: string
  title: MessageKey
  /** Names of the routes that count as being there. */
  routes: string[]
}

/** The entries of the top bar, in their order. */
const ENTRIES: Entry[] = [
  { page: 'board', to: '/', title: 'nav.board', routes: ['board', 'indicator'] },
  { page: 'map', to: '/map', title: 'nav.map', routes: ['map'] },
  { page: 'series', to: '/series', title: 'nav.series', routes: ['series'] },
  { page: 'air-calendar', to: '/air/calendar', title: 'nav.calendar', routes: ['calendar'] },
  { page: 'imports', to: '/imports', title: 'nav.imports', routes: ['imports'] },
]

/** The entries that the city's pack wants; all of them where it does not say. */
export function entriesOf(meta: Meta | undefined): Entry[] {
  const pages = meta?.pages
  return pages === undefined ? ENTRIES : ENTRIES.filter((one) => pages.includes(one.page))
}
