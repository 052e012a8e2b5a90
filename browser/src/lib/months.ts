import type { Day } from '@/api/types'

/** One place of a month's grid: a day, or a blank before the first. */
export type Cell = { date: string; number: number; day: Day | null } | null

/** A month as weeks from Monday, with the blanks before its first day. */
export function monthCells(year: number, month: number, days: ReadonlyMap<string, Day>): Cell[] {
  const blanks = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const cells: Cell[] = Array.from({ length: blanks }, () => null)
  for (let number = 1; number <= length; number += 1) {
    const date = `${year}-${String(month).padStart(2, '0')}-${String(number).padStart(2, '0')}`
    cells.push({ date, number, day: days.get(date) ?? null })
  }
  return cells
}

/** The day that a key leads to from another within a year: undefined for a key that leads nowhere. */
export function dayByKey(date: string, key: string): string | undefined {
  const [year, month, number] = date.split('-').map(Number) as [number, number, number]
  const length = (of: number) => new Date(Date.UTC(year, of, 0)).getUTCDate()
  const places: Record<string, [number, number]> = {
    ArrowLeft: [month, number - 1],
    ArrowRight: [month, number + 1],
    ArrowUp: [month, number - 7],
    ArrowDown: [month, number + 7],
    Home: [month, 1],
    End: [month, length(month)],
    PageUp: [month - 1, Math.min(number, length(month - 1))],
    PageDown: [month + 1, Math.min(number, length(month + 1))],
  }
  const place = places[key]
  if (!place) return undefined
  const found = new Date(Date.UTC(year, place[0] - 1, place[1])).toISOString().slice(0, 10)
  return found.startsWith(`${year}-`) ? found : date
}
