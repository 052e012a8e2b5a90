import { describe, expect, it } from 'vitest'

import type { Break, Reading } from '@/api'
import { breakSpans, runs } from '@/lib/runs'

function reading(period: string, value: number | null, more: Partial<Reading> = {}): Reading {
  return { period, value, text: String(value), kind: 'estimate', network: 'seven', method: 'a', basis: 'audited', ...more }
}

const years = (found: Reading[][]) => found.map((run) => run.map((point) => point.period))

describe('runs', () => {
  it('joins consecutive years of one network', () => {
    expect(years(runs([reading('2021', 3), reading('2020', 1), reading('2022', 2)]))).toEqual([['2020', '2021', '2022']])
  })

  it('never joins points of different networks', () => {
    const points = [
      reading('2020', 57.14),
      reading('2021', 90.9, { network: 'eleven' }),
      reading('2022', 90.9, { network: 'eleven' }),
      reading('2023', 57.14),
    ]
    expect(years(runs(points))).toEqual([['2020'], ['2021', '2022'], ['2023']])
    for (const run of runs(points)) expect(new Set(run.map((point) => point.network)).size).toBe(1)
  })

  it('cuts where the method or the basis changes', () => {
    expect(years(runs([reading('2020', 1), reading('2021', 1, { method: 'b' })]))).toEqual([['2020'], ['2021']])
    expect(years(runs([reading('2020', 1), reading('2021', 1, { basis: 'assessed' })]))).toEqual([['2020'], ['2021']])
  })

  it('cuts at a declared break even when the points do not tell of it', () => {
    const points = [reading('2020', 1), reading('2021', 2), reading('2022', 3)]
    expect(years(runs(points, [{ after: '2020', before: '2021' }]))).toEqual([['2020'], ['2021', '2022']])
    expect(years(runs(points, [{ after: '2017', before: '2018' }]))).toEqual([['2020', '2021', '2022']])
    expect(years(runs(points, [{ after: '2020', before: '2022' }]))).toEqual([['2020'], ['2021'], ['2022']])
  })

  it('leaves a gap for a missing year and for a year without a value', () => {
    expect(years(runs([reading('2020', 1), reading('2022', 2)]))).toEqual([['2020'], ['2022']])
    expect(years(runs([reading('2020', 1), reading('2021', null), reading('2022', 2)]))).toEqual([['2020'], ['2022']])
  })

  it('keeps estimates and confirmed values apart', () => {
    const points = [reading('2020', 1), reading('2020', 2, { kind: 'confirmed' }), reading('2021', 3, { kind: 'confirmed' })]
    expect(years(runs(points))).toEqual([['2020'], ['2020', '2021']])
  })

  it('leaves parts of a year out', () => {
    expect(years(runs([reading('2024', 1), reading('2025', 2), reading('2026-09', 3)]))).toEqual([['2024', '2025']])
  })

  it('keeps a zero', () => {
    expect(years(runs([reading('2020', 0), reading('2021', 0)]))).toEqual([['2020', '2021']])
  })
})

describe('breakSpans', () => {
  const declared: Break = { after: '2020', before: '2021', reason: 'network', title: { zh: '断面增加', en: 'More sections' } }

  it('shows a declared break once, also when the points tell of it', () => {
    const points = [reading('2020', 1), reading('2021', 2, { network: 'eleven' })]
    expect(breakSpans(points, [declared])).toEqual([declared])
  })

  it('finds an undeclared change and names its reason', () => {
    const points = [reading('2020', 1), reading('2022', 2, { method: 'b' })]
    expect(breakSpans(points, [])).toEqual([{ after: '2020', before: '2022', reason: 'method', title: null }])
  })

  it('finds a change of network between a baseline and the first own figure, but not of basis', () => {
    const baseline = reading('2020', 1, { kind: 'confirmed', basis: 'assessed' })
    expect(breakSpans([baseline, reading('2021', 2)], [])).toEqual([])
    expect(breakSpans([baseline, reading('2021', 2, { network: 'eleven' })], [])).toEqual([
      { after: '2020', before: '2021', reason: 'network', title: null },
    ])
  })

  it('finds none where nothing changes', () => {
    expect(breakSpans([reading('2020', 1), reading('2021', 2)], [])).toEqual([])
  })
})
