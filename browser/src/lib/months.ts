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
