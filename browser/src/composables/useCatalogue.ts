import { computed } from 'vue'

import { api, type Factor, type Site } from '@/api'
import { say } from '@/i18n'

import { useLoad } from './useLoad'

/** Sites and factors with their titles. */
export function useCatalogue() {
  const sites = useLoad<Site[]>((signal) => api.sites(signal))
  const factors = useLoad<Factor[]>((signal) => api.factors(signal))
  const siteById = computed(() => new Map((sites.data.value ?? []).map((site) => [site.id, site])))
  const factorById = computed(() => new Map((factors.data.value ?? []).map((factor) => [factor.id, factor])))

  function siteTitle(id: string): string {
    return say(siteById.value.get(id)?.title) || id
  }

  function factorTitle(id: string): string {
    return say(factorById.value.get(id)?.title) || id
  }

  return { sites, factors, siteById, factorById, siteTitle, factorTitle }
}
