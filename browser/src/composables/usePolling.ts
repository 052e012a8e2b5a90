import { onScopeDispose } from 'vue'

/** Asks again every second for as long as `wanted` says so; never two questions at once. */
export function usePolling(wanted: () => boolean, ask: () => Promise<void>, every = 1000): { wake: () => void } {
  let timer: number | undefined
  let stopped = false

  async function turn(): Promise<void> {
    timer = undefined
    await ask()
    wake()
  }

  function wake(): void {
    if (!stopped && timer === undefined && wanted()) timer = window.setTimeout(() => void turn(), every)
  }

  onScopeDispose(() => {
    stopped = true
    window.clearTimeout(timer)
  })
  return { wake }
}
