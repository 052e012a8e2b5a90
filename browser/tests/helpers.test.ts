import { describe, expect, it } from 'vitest'

import type { Series, SeriesPoint } from '@/api'
import { inkOn } from '@/lib/colour'
import { formatCount, formatShare, formatSize, formatUnit, formatValue, parseNumber, signed } from '@/lib/format'
import { dayByKey, monthCells } from '@/lib/months'
import { flagMarks, isValid, lineOf } from '@/lib/series'
import { addDays, follows, formatTime, wallClock } from '@/lib/time'
import { day, queryString, single, wholeNumber } from '@/lib/url'
import { nearest } from '@/pages/series/choice'

describe('numbers', () => {
  it('sets thousands apart', () => {
    expect(formatCount(1234567)).toBe('1,234,567')
    expect(formatCount(999)).toBe('999')
    expect(formatCount(0)).toBe('0')
    expect(formatCount(null)).toBe('—')
  })

  it('never shows a whole that is not one', () => {
    expect(formatShare(8759, 8760)).toBe('99.9%')
    expect(formatShare(8760, 8760)).toBe('100.0%')
    expect(formatShare(302, 366)).toBe('82.5%')
    expect(formatShare(1, 0)).toBe('—')
  })

  it('shows a measured number without binary noise', () => {
    expect(formatValue(0.1 + 0.2)).toBe('0.3')
    expect(formatValue(43)).toBe('43')
    expect(formatValue(null)).toBe('—')
  })

  it('gives a rise its sign', () => {
    expect(signed(1.5, '1.5')).toBe('+1.5')
    expect(signed(1.5, '+1.5')).toBe('+1.5')
    expect(signed(-0.3, '-0.3')).toBe('-0.3')
    expect(signed(0, '0')).toBe('0')
  })

  it('reads what an officer types', () => {
    expect(parseNumber(' 36.65 ')).toBe(36.65)
    expect(parseNumber('３６．６５')).toBe(36.65)
    expect(parseNumber('1,234')).toBe(1234)
    expect(parseNumber('0')).toBe(0)
    expect(parseNumber('82.5%')).toBeUndefined()
    expect(parseNumber('')).toBeUndefined()
    expect(parseNumber('1e3')).toBeUndefined()
  })

  it('writes units as they are read', () => {
    expect(['ug/m3', 'mg/m3', '%', 'degC', '1', null].map(formatUnit)).toEqual(['µg/m³', 'mg/m³', '%', '°C', '', ''])
  })

  it('states sizes', () => {
    expect(formatSize(512)).toBe('512 B')
    expect(formatSize(2048)).toBe('2.0 KB')
    expect(formatSize(3 * 1024 * 1024)).toBe('3.0 MB')
  })
})

describe('time', () => {
  it('shows Beijing time wherever the reader is', () => {
    expect(formatTime('2023-01-20T00:00:00+08:00', 'hour')).toBe('2023-01-20 00:00')
    expect(formatTime('2023-01-19T16:00:00Z', 'hour')).toBe('2023-01-20 00:00')
    expect(formatTime('2023-01-20T07:00:00', 'hour')).toBe('2023-01-20 07:00')
  })

  it('speaks of a time as its grain does', () => {
    const time = '2024-05-01T00:00:00+08:00'
    expect(['year', 'quarter', 'month', 'day'].map((grain) => formatTime(time, grain as 'year'))).toEqual([
      '2024',
      '2024 Q2',
      '2024-05',
      '2024-05-01',
    ])
    expect(formatTime(null)).toBe('—')
    expect(formatTime('nonsense')).toBe('—')
  })

  it('knows which interval follows which', () => {
    const at = (iso: string) => wallClock(`${iso}+08:00`)
    expect(follows(at('2024-01-01T00:00:00'), at('2024-01-01T01:00:00'), 'hour')).toBe(true)
    expect(follows(at('2024-01-01T00:00:00'), at('2024-01-01T02:00:00'), 'hour')).toBe(false)
    expect(follows(at('2024-01-01T00:00:00'), at('2024-02-01T00:00:00'), 'month')).toBe(true)
    expect(follows(at('2024-01-01T00:00:00'), at('2024-03-01T00:00:00'), 'month')).toBe(false)
  })

  it('counts days over the end of a leap February', () => {
    expect(addDays('2024-02-28', 2)).toBe('2024-03-01')
    expect(addDays('2024-01-01', -1)).toBe('2023-12-31')
  })
})

describe('url', () => {
  it('leaves out what says nothing', () => {
    expect(queryString({ as_of: undefined, site: '', factor: null })).toBe('')
    expect(queryString({ site: '2084A', year: 0, name: '龙湾 & 连山' })).toBe(
      '?site=2084A&year=0&name=%E9%BE%99%E6%B9%BE%20%26%20%E8%BF%9E%E5%B1%B1',
    )
  })

  it('takes the first of several entries', () => {
    expect(single(['a', 'b'])).toBe('a')
    expect(single('')).toBeUndefined()
    expect(single(null)).toBeUndefined()
  })

  it('refuses days that do not exist', () => {
    expect(day('2024-02-29')).toBe('2024-02-29')
    expect(day('2023-02-29')).toBeUndefined()
    expect(day('yesterday')).toBeUndefined()
  })

  it('keeps numbers within bounds', () => {
    expect(wholeNumber('2024', 2013, 2100, 2025)).toBe(2024)
    expect(wholeNumber('1900', 2013, 2100, 2025)).toBe(2025)
    expect(wholeNumber('20x4', 2013, 2100, 2025)).toBe(2025)
  })
})

describe('series', () => {
  const point = (time: string, value: number | null, flag: string | null = null): SeriesPoint => [
    `2024-01-01T${time}:00+08:00`,
    value,
    flag,
    null,
    'file',
    null,
    1,
  ]

  it('breaks the line at a missing hour, at no value and at a flagged one', () => {
    const line = lineOf([point('00:00', 1), point('01:00', 2), point('04:00', 3), point('05:00', null), point('06:00', 9, 'fault')], 'hour')
    expect(line.map(([, value]) => value)).toEqual([1, 2, null, 3, null, null])
  })

  it('keeps a value whose flag leaves it valid', () => {
    const flags = { suspect: { zh: '存疑', en: 'Suspect', valid: true }, fault: { zh: '故障', en: 'Fault', valid: false } }
    expect([null, 'suspect', 'fault', 'other'].map((flag) => isValid(flag, flags))).toEqual([true, true, false, false])
    const line = lineOf([point('00:00', 1, 'suspect'), point('01:00', 2, 'fault')], 'hour', flags)
    expect(line.map(([, value]) => value)).toEqual([1, null])
  })

  it('marks flagged values at their own time', () => {
    const marks = flagMarks([point('00:00', 1), point('01:00', 9, 'fault'), point('02:00', null, 'fault')])
    expect(marks).toEqual([{ value: [Date.UTC(2024, 0, 1, 1), 9], flag: 'fault', index: 1 }])
  })

  it('takes the nearest series to what a link asks for', () => {
    const series = (factor: string, grain: Series['grain'], basis: Series['basis']): Series => ({
      site: 's', factor, grain, basis, unit: null, first: null, last: null, rows: 1, latest: null, simulated: false,
    })
    const all = [series('a34004', 'day', 'audited'), series('a34004', 'hour', 'audited'), series('a34002', 'hour', 'realtime')]
    expect(nearest(all, { factor: 'a34004', grain: 'day', basis: 'realtime' })).toBe(all[0])
    expect(nearest(all, { factor: 'a34002', grain: 'day' })).toBe(all[2])
    expect(nearest(all, {})).toBe(all[1])
    expect(nearest([], {})).toBeUndefined()
  })
})

describe('calendar', () => {
  it('begins weeks on Monday', () => {
    // 1 March 2026 is a Sunday: six blanks before it.
    const cells = monthCells(2026, 3, new Map())
    expect(cells.slice(0, 6)).toEqual([null, null, null, null, null, null])
    expect(cells[6]).toEqual({ date: '2026-03-01', number: 1, day: null })
    expect(cells).toHaveLength(6 + 31)
  })

  it('knows leap years', () => {
    expect(monthCells(2024, 2, new Map()).filter((cell) => cell !== null)).toHaveLength(29)
  })

  it('goes from day to day and month to month by keys, within the year', () => {
    const to = (date: string, ...keys: string[]) => keys.map((key) => dayByKey(date, key))
    expect(to('2024-03-01', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown')).toEqual(['2024-02-29', '2024-03-02', '2024-02-23', '2024-03-08'])
    expect(to('2024-03-31', 'PageUp', 'PageDown', 'Home', 'End')).toEqual(['2024-02-29', '2024-04-30', '2024-03-01', '2024-03-31'])
    expect(to('2024-01-03', 'ArrowUp', 'PageUp', 'x')).toEqual(['2024-01-03', '2024-01-03', undefined])
    expect(to('2024-12-31', 'ArrowRight', 'ArrowDown')).toEqual(['2024-12-31', '2024-12-31'])
  })

  it('writes legibly on the colours of the classes', () => {
    expect(['#00e400', '#ffff00', '#ff7e00', '#ff0000'].map(inkOn)).toEqual(['#000000', '#000000', '#000000', '#000000'])
    expect(['#99004c', '#7e0023'].map(inkOn)).toEqual(['#ffffff', '#ffffff'])
  })
})
