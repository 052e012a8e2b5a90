import { describe, expect, it } from 'vitest'

import type { MapClass, MapPoint } from '@/api'
import { formatDegrees } from '@/lib/degrees'
import { boxOf, placeLabels, spread, type Label, type Side, type Spot } from '@/lib/layout'
import { countsOf, isPlaced, signOf, signsOf, worstFirst } from '@/lib/signs'

const one = (zh: string, en: string) => ({ zh, en })
const legend = (...words: [string, string][]): MapClass[] => [
  ...words.map(([zh, en], index) => ({ class: index + 1, title: one(zh, en), colour: '#00ff00' })),
  { class: null, title: one('未评价', 'Not judged'), colour: '#cccccc' },
]
const point = (site: string, of: number | null, more: Partial<MapPoint> = {}): MapPoint => ({
  site, title: site, longitude: 120, latitude: 40, place: null, place_title: null, role_titles: [], network: null,
  class: of, word: 'x', colour: '#00ff00', main_pollutants: null, edition: null, clause: null, missing: null, note: null,
  factors: [], simulated: false, ...more,
})

describe('signs', () => {
  it('takes the letter of a class from its word', () => {
    const words = [one('Ⅲ类', 'Class III'), one('劣Ⅴ类', 'Worse than class V'), one('二类', 'Class 2'), one('第三类', 'Class 3'), one('轻度污染', 'Lightly polluted'), one('Ⅱ类（优）', 'II (excellent)')]
    expect(words.map((word) => signOf(word, 'zh'))).toEqual(['Ⅲ', '劣', '二', '三', '轻', 'Ⅱ'])
    expect(words.map((word) => signOf(word, 'en'))).toEqual(['III', '>V', '2', '3', 'L', 'II'])
  })

  it('gives every class of a legend a sign of its own', () => {
    const air = legend(['优', 'Excellent'], ['良', 'Good'], ['轻度污染', 'Lightly polluted'])
    expect([...signsOf(air, 'zh').values()]).toEqual(['–', '优', '良', '轻'])
    expect(signsOf(air, 'en').get(3)).toBe('L')
    // Two English words that begin alike: their numbers tell them apart.
    const alike = legend(['好', 'Good'], ['较好', 'Good enough'])
    expect([...signsOf(alike, 'en').values()]).toEqual(['–', '1', '2'])
    expect([...signsOf(alike, 'zh').values()]).toEqual(['–', '好', '较'])
  })

  it('lists the worst first and those without a verdict last', () => {
    const points = [point('a', 2), point('b', null), point('c', 6), point('d', 2)]
    expect(worstFirst(points).map(({ site }) => site)).toEqual(['c', 'a', 'd', 'b'])
    expect([...countsOf(points)]).toEqual([[2, 2], [null, 1], [6, 1]])
  })

  it('knows which points can be drawn', () => {
    expect([point('a', 1), point('b', 1, { longitude: null }), point('c', 1, { latitude: null })].map(isPlaced)).toEqual([true, false, false])
  })
})

describe('degrees', () => {
  it('are written as on a sheet', () => {
    expect([120, 120.5, -0.25, 0, 119.999999].map((value) => formatDegrees(value, 'longitude'))).toEqual(['120°E', '120°30′E', '0°15′W', '0°', '120°E'])
    expect([40.5125, -40].map((value) => formatDegrees(value, 'latitude'))).toEqual(['40°30′45″N', '40°S'])
  })
})

describe('marks', () => {
  const nearest = (places: { x: number; y: number }[]) =>
    Math.min(...places.flatMap((left, index) => places.slice(index + 1).map((right) => Math.hypot(left.x - right.x, left.y - right.y))))

  it('that lie over one another move apart, the others stay', () => {
    const spots: Spot[] = [
      { id: 'a', x: 100, y: 100 }, { id: 'b', x: 100, y: 100 }, { id: 'c', x: 103, y: 101 }, { id: 'd', x: 99, y: 110 }, { id: 'far', x: 300, y: 40 },
    ]
    const found = spread(spots, 24)
    expect(nearest([...found.values()])).toBeGreaterThan(23.9)
    expect(found.get('far')).toEqual({ x: 300, y: 40 })
    expect(spread(spots, 24)).toEqual(found)
  })
})

describe('titles', () => {
  const SIDES: Side[] = ['right', 'left', 'below', 'above']
  const label = (id: string, x: number, y: number, more: Partial<Label> = {}): Label => ({ id, x, y, width: 80, height: 16, offset: 16, sides: SIDES, ...more })
  const size = { width: 400, height: 300 }

  it('stand on the right where there is room, else where there is some', () => {
    const labels = [label('a', 90, 100), label('b', 140, 100), label('edge', 390, 200)]
    expect([...placeLabels(labels, labels, 12, size)]).toEqual([['a', 'below'], ['b', 'right'], ['edge', 'left']])
  })

  it('never lie over marks, over one another or beyond the map', () => {
    // 40 spots on a grid with too little room for all titles.
    const labels = Array.from({ length: 40 }, (_, index) => label(String(index), 25 + (index % 8) * 50, 30 + Math.floor(index / 8) * 55))
    const placed = placeLabels(labels, labels, 12, size)
    expect(placed.size).toBeGreaterThan(5)
    expect(placed.size).toBeLessThan(40)
    const boxes = labels.filter(({ id }) => placed.has(id)).map((one) => boxOf(one, placed.get(one.id)!))
    const marks = labels.map(({ x, y }) => ({ left: x - 12, right: x + 12, top: y - 12, bottom: y + 12 }))
    for (const [index, box] of boxes.entries()) {
      expect(box.left >= 0 && box.right <= 400 && box.top >= 0 && box.bottom <= 300).toBe(true)
      for (const other of [...boxes.slice(index + 1), ...marks]) {
        expect(box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom).toBe(false)
      }
    }
  })

  it('leave out what has no room, but never what must be there', () => {
    const crowd = [label('first', 50, 50, { sides: ['centre'] }), label('second', 60, 50, { sides: ['centre'] })]
    expect([...placeLabels(crowd, [], 12, size).keys()]).toEqual(['first'])
    expect([...placeLabels([crowd[0]!, { ...crowd[1]!, always: true }], [], 12, size).keys()]).toEqual(['first', 'second'])
  })
})
