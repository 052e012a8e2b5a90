import type { Grain } from '@/api/types'

const DAY = 86_400_000
const BEIJING = 8 * 3_600_000

const STEPS: Partial<Record<Grain, number>> = { minute: 60_000, hour: 3_600_000, day: DAY }

/**
 * Beijing wall-clock time as if it were UTC, in milliseconds.
 *
 * Charts are drawn in "UTC" with this number, so that a reader in any zone sees Beijing hours.
 */
export function wallClock(iso: string): number {
  const plain = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?))?$/.exec(iso)
  if (plain) return Date.parse(`${plain[1]}T${plain[2] ?? '00:00'}Z`)
  return Date.parse(iso) + BEIJING
}

function stamp(iso: string): string {
  return new Date(wallClock(iso)).toISOString()
}

/** A time as its grain is spoken of: a year, a month, a day, or a day with hour and minute. */
export function formatTime(iso: string | null | undefined, grain: Grain = 'hour'): string {
  if (!iso || Number.isNaN(wallClock(iso))) return '—'
  const text = stamp(iso)
  switch (grain) {
    case 'year':
      return text.slice(0, 4)
    case 'quarter':
      return `${text.slice(0, 4)} Q${Math.floor((Number(text.slice(5, 7)) + 2) / 3)}`
    case 'month':
      return text.slice(0, 7)
    case 'day':
      return text.slice(0, 10)
    case 'realtime':
      return text.slice(0, 19).replace('T', ' ')
    default:
      return text.slice(0, 16).replace('T', ' ')
  }
}

export function formatDay(iso: string | null | undefined): string {
  return formatTime(iso, 'day')
}

/** The length of one interval in milliseconds; undefined where it varies or where there is none. */
export function step(grain: Grain): number | undefined {
  return STEPS[grain]
}

/** Whether `next` follows `previous` without a missing interval between them. */
export function follows(previous: number, next: number, grain: Grain): boolean {
  const fixed = step(grain)
  if (fixed !== undefined) return next - previous <= fixed
  const longest: Partial<Record<Grain, number>> = { month: 31 * DAY, quarter: 92 * DAY, year: 366 * DAY }
  const bound = longest[grain]
  return bound === undefined || next - previous <= bound
}

/** `date` moved by a number of days. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10)
}

/** How many days of a series are first shown: as many points as a screen can tell apart. */
export function firstWindow(grain: Grain): number {
  const days: Record<Grain, number> = {
    realtime: 2,
    minute: 2,
    hour: 31,
    day: 366,
    sample: 366,
    month: 366 * 6,
    quarter: 366 * 10,
    year: 366 * 30,
  }
  return days[grain]
}
