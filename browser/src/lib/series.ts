import type { Grain, SeriesData, SeriesPoint } from '@/api/types'

import { follows, wallClock } from './time'

/** A place of a line: Beijing wall-clock milliseconds and a value; null breaks the line. */
export type LinePoint = [number, number | null]

/** A mark of a value that carries a flag, with the point's place in the answer. */
export interface FlagMark {
  value: [number, number]
  flag: string
  index: number
}

type Flags = SeriesData['flags']

/** Whether a point counts: no flag, or one that leaves the value valid. */
export function isValid(flag: string | null, flags: Flags): boolean {
  return flag === null || flags?.[flag]?.valid === true
}

/**
 * The line of the valid values, with a null wherever an interval is missing, has no value, or is flagged as not valid.
 */
export function lineOf(points: readonly SeriesPoint[], grain: Grain, flags: Flags = {}): LinePoint[] {
  const line: LinePoint[] = []
  let previous: number | undefined
  for (const [iso, value, flag] of points) {
    const time = wallClock(iso)
    if (previous !== undefined && !follows(previous, time, grain)) line.push([previous + 1, null])
    line.push([time, isValid(flag, flags) ? value : null])
    previous = time
  }
  return line
}

export function flagMarks(points: readonly SeriesPoint[]): FlagMark[] {
  const marks: FlagMark[] = []
  points.forEach(([iso, value, flag], index) => {
    if (flag !== null && value !== null) marks.push({ value: [wallClock(iso), value], flag, index })
  })
  return marks
}
