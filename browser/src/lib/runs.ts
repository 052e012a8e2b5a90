import type { Break, Kind, Reading } from '@/api/types'

type Pointed = Pick<Reading, 'period' | 'value' | 'kind' | 'network'> & Partial<Pick<Reading, 'method' | 'basis'>>
const KINDS: readonly Kind[] = ['estimate', 'reported', 'confirmed']

type Cut = Pick<Break, 'after' | 'before'>

/** Whether a period is a whole year: a part of one stands in no line of years. */
export function isYear(period: string): boolean {
  return /^\d{4}$/.test(period)
}

function whole<P extends Pointed>(points: readonly P[]): P[] {
  const found = points.filter((point) => point.value !== null && isYear(point.period))
  return found.sort((left, right) => Number(left.period) - Number(right.period))
}

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
    const own = whole(points).filter((point) => point.kind === kind)
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
  const found = whole(points)
  for (let index = 1; index < found.length; index += 1) {
    const right = found[index]!
    // The nearest earlier figure of the same kind; where there is none, any: then only the network can be compared.
    const earlier = found.slice(0, index).filter((point) => point.period !== right.period).reverse()
    const same = earlier.find((point) => point.kind === right.kind)
    const left = same ?? earlier[0]
    if (left === undefined) continue
    const reason = differs(left, right)
    if (reason === null || (same === undefined && reason !== 'network')) continue
    if (!isCut(left.period, right.period, spans)) spans.push({ after: left.period, before: right.period, reason, title: null })
  }
  return spans
}
