import { describe, expect, it } from 'vitest'

import type { Indicator, Reading } from '@/api'
import { formatOdds, oddsStep } from '@/lib/odds'
import { historyOption } from '@/pages/indicator/historyOption'

const reading = (period: string, value: number, network: string): Reading => ({ period, value, text: String(value), kind: 'confirmed', network, basis: 'assessed' })

function indicator(history: Reading[]): Indicator {
  return {
    id: 'water.good_section_share', row: 4, title: { zh: '', en: '' }, domain: 'water', domain_title: { zh: '', en: '' }, unit: '%',
    better: 'higher', binding: 'binding', baseline: null, target: null, latest: null, estimate: null, confirmed: null, gap: null,
    needed_pace: null, state: 'met', state_title: { zh: '', en: '' }, break: null, simulated: false, computed: false, reporter: null,
    points: history, history, targets: [], lineage: [], documents: [], notes: [],
    breaks: [{ after: '2020', before: '2021', reason: 'network', title: { zh: '', en: '' } }],
  }
}

interface Drawn {
  type: string
  data: { value: [number, number] }[]
  markArea?: { data: [{ name: string; xAxis: number }, { xAxis: number }][] }
}

describe('the chart of a changed network', () => {
  const history = [reading('2020', 57.14, 'seven'), reading('2021', 72.7, 'eleven'), reading('2022', 81.8, 'eleven'), reading('2025', 90.9, 'eleven')]
  const series = historyOption(indicator(history))['series'] as Drawn[]

  it('joins no figure of 7 sections with one of 11', () => {
    const lines = series.filter(({ type }) => type === 'line').map(({ data }) => data.map(({ value }) => value[0]))
    expect(lines).toEqual([[2020], [2021, 2022], [2025]])
  })

  it('shows the break between the years, with its words', () => {
    const areas = series.flatMap((one) => one.markArea?.data ?? [])
    expect(areas.map(([from, to]) => [from.name, from.xAxis, to.xAxis])).toEqual([['断点：监测网络变化', 2020.25, 2020.75]])
  })
})

describe('two figures of a year', () => {
  it('have their numbers above and below, not over one another', () => {
    const own: Reading = { ...reading('2025', 36.67, 'city'), kind: 'reported' }
    const sides = (confirmed: number) => {
      const series = historyOption(indicator([own, reading('2025', confirmed, 'city')]))['series'] as (Drawn & { name: string; data: { label: { position: string } }[] })[]
      return series.filter(({ type }) => type === 'line').map(({ name, data }) => [name, data[0]!.label.position])
    }
    expect(sides(36.71)).toEqual([['上报', 'bottom'], ['认定值', 'top']])
    expect(sides(36.6)).toEqual([['上报', 'top'], ['认定值', 'bottom']])
    expect(sides(36.67)).toEqual([['上报', 'top'], ['认定值', 'bottom']])
  })
})

describe('odds', () => {
  it('are spoken of in five words', () => {
    expect([0, 0.0999, 0.1, 0.33, 0.34, 0.66, 0.67, 0.89, 0.9, 1].map(oddsStep)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
  })

  it('are never shown as sure unless they are', () => {
    expect([0, 0.001, 0.634, 0.999, 1, null].map(formatOdds)).toEqual(['0 %', '<1 %', '63 %', '>99 %', '100 %', '—'])
  })
})
