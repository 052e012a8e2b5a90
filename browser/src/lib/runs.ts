import type { Break, Kind, Reading } from '@/api/types'

type Pointed = Pick<Reading, 'period' | 'value' | 'kind' | 'network'> & Partial<Pick<Reading, 'method' | 'basis'>>
const KINDS: readonly Kind[] = ['estimate', 'reported', 'confirmed']

type Cut = Pick<Break, 'after' | 'before'>

function isCut(left: string, right: string, breaks: readonly Cut[]): boolean {
  return breaks.some((cut) => Number(cut.after) < Number(right) && Number(cut.before) > Number(left))
}

function differs(left: Pointed, right: Pointed): Break['reason'] | null {
  const reasons = ['network', 'method', 'basis'] as const
  return reasons.find((reason) => (left[reason] ?? null) !== (right[reason] ?? null)) ?? null
}

function joins(left: Pointed, right: Pointed, breaks: readonly Cut[]): boolean {
  return (
    left.kind === right.kind &&
    differs(left, right) === null &&
    Number(right.period) - Number(left.period) === 1 &&
    !isCut(left.period, right.period, breaks)
  )
}

/**
 * Points cut into runs that may be joined by a line.
 *
 * A run has one kind, one network, one method, one basis, consecutive years, values in all of them and no
 * declared break inside: figures that differ in any of these are not a trend.
 */
export function runs<P extends Pointed>(points: readonly P[], breaks: readonly Cut[] = []): P[][] {
  const found: P[][] = []
  for (const kind of KINDS) {
    const own = points.filter((point) => point.kind === kind && point.value !== null)
    own.sort((left, right) => Number(left.period) - Number(right.period))
    let run: P[] = []
    for (const point of own) {
      const last = run[run.length - 1]
      if (last !== undefined && !joins(last, point, breaks)) {
        found.push(run)
        run = []
      }
      run.push(point)
    }
    if (run.length > 0) found.push(run)
  }
  return found
}

/** The spans between years where a break lies, including those only the points themselves tell of. */
export function breakSpans(
  points: readonly Pointed[],
  breaks: readonly Break[],
): { after: string; before: string; reason: Break['reason']; title: Break['title'] | null }[] {
  const spans: ReturnType<typeof breakSpans> = breaks.map((one) => ({ ...one }))
  for (const kind of KINDS) {
    const own = points.filter((point) => point.kind === kind && point.value !== null)
    own.sort((left, right) => Number(left.period) - Number(right.period))
    for (let index = 1; index < own.length; index += 1) {
      const left = own[index - 1]!
      const right = own[index]!
      const reason = differs(left, right)
      if (reason === null || isCut(left.period, right.period, spans)) continue
      spans.push({ after: left.period, before: right.period, reason, title: null })
    }
  }
  return spans
}
