import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter, type LocationQueryRaw } from 'vue-router'

import { day, single } from '@/lib/url'

/** Reads and writes of the page's query; an empty value takes the entry away. */
export function useUrl() {
  const route = useRoute()
  const router = useRouter()

  function text(name: string): ComputedRef<string | undefined> {
    return computed(() => single(route.query[name]))
  }

  const asOf = computed(() => day(route.query['as_of']))

  function change(entries: Record<string, string | number | null | undefined>): Promise<unknown> {
    const query: LocationQueryRaw = { ...route.query }
    for (const [name, value] of Object.entries(entries)) {
      if (value === null || value === undefined || value === '') delete query[name]
      else query[name] = String(value)
    }
    return router.replace({ query, hash: route.hash })
  }

  return { route, text, asOf, change }
}
