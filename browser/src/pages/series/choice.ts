import type { Basis, Grain, Series } from '@/api'

export interface Choice {
  site: string
  factor: string
  grain: Grain
  basis: Basis
}

/** What a link may ask for; every part may be absent or no longer exist. */
export type Asked = Partial<Record<keyof Choice, string>>

const GRAINS: Grain[] = ['hour', 'day', 'month', 'quarter', 'year', 'sample', 'minute', 'realtime']

function rank(one: Series, asked: Asked): number[] {
  return [
    one.factor === asked.factor ? 0 : 1,
    one.grain === asked.grain ? 0 : 1,
    one.basis === asked.basis ? 0 : 1,
    GRAINS.indexOf(one.grain),
  ]
}

/** The series of a site that comes nearest to what was asked: the factor first, then grain, then basis. */
export function nearest(available: readonly Series[], asked: Asked): Series | undefined {
  let best: Series | undefined
  let bestRank: number[] = []
  for (const one of available) {
    const own = rank(one, asked)
    const place = own.findIndex((value, index) => value !== bestRank[index])
    if (best === undefined || (place >= 0 && own[place]! < bestRank[place]!)) {
      best = one
      bestRank = own
    }
  }
  return best
}
