import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from 'vue'

import { asProblem, type Problem } from '@/api'

export interface Loaded<T> {
  data: ShallowRef<T | undefined>
  problem: ShallowRef<Problem | undefined>
  loading: Ref<boolean>
  reload: () => Promise<void>
}

/**
 * Loads now and whenever a source changes; an older answer never overwrites a newer one.
 *
 * What was shown stays while the next answer is under way, and goes only when that answer is a refusal.
 */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T | undefined>, sources: WatchSource[] = []): Loaded<T> {
  const data = shallowRef<T>()
  const problem = shallowRef<Problem>()
  const loading = ref(false)
  let current: AbortController | undefined

  async function reload(): Promise<void> {
    current?.abort()
    const mine = new AbortController()
    current = mine
    loading.value = true
    try {
      const found = await load(mine.signal)
      if (current !== mine) return
      data.value = found
      problem.value = undefined
    } catch (error) {
      if (current !== mine) return
      data.value = undefined
      problem.value = asProblem(error)
    } finally {
      if (current === mine) loading.value = false
    }
  }

  watch(sources, () => void reload(), { immediate: true })
  onScopeDispose(() => {
    current?.abort()
    current = undefined
  })
  return { data, problem, loading, reload }
}
