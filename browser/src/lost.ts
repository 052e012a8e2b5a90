import { shallowRef } from 'vue'
import type { RouteLocationNormalized, Router } from 'vue-router'

/** The page that was asked for while its scripts could not be loaded, as when the server has stopped. */
export const lost = shallowRef<RouteLocationNormalized>()

export function watchLosses(router: Router): void {
  router.onError((_error, to) => {
    lost.value = to
  })
  router.afterEach(() => {
    lost.value = undefined
  })
}
