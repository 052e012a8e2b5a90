import type { MapClass, MapPoint, Words } from '@/api/types'
import type { Language } from '@/i18n'

const ROMAN = /[\u2160-\u2169]/
/** "worse than", as the Chinese words of the last class begin. */
const WORSE = '\u52a3'
/** "the ... th" before a Chinese number. */
const ORDINAL = '\u7b2c'

export const NO_VERDICT = '–'

function wordsIn(title: Words, language: Language): string {
  return typeof title === 'string' ? title : title[language] || title.zh || title.en
}

/** The word of a class in as few signs as a point on a map has room for. */
export function signOf(title: Words, language: Language): string {
  const text = wordsIn(title, language).trim()
  if (text.startsWith(WORSE)) return WORSE
  const worse = /worse than (?:class |grade )?([IVX]+|\d+)/i.exec(text)
  if (worse) return `>${worse[1]}`
  const roman = ROMAN.exec(text)
  if (roman) return roman[0]
  const alone = /^([IVX]+)\b/.exec(text)
  if (alone) return alone[1]!
  const named = /\b(?:class|grade|category) ([IVX]+|\d+)\b/i.exec(text)
  if (named) return named[1]!
  const plain = text.startsWith(ORDINAL) ? text.slice(1) : text
  return (plain.slice(0, 1) || NO_VERDICT).toUpperCase()
}

/** One sign for each class of a legend: its word's, or its number where two words begin alike. */
export function signsOf(legend: readonly MapClass[], language: Language): Map<number | null, string> {
  const found = new Map<number | null, string>([[null, NO_VERDICT]])
  const judged = legend.filter((one) => one.class !== null)
  const signs = judged.map((one) => signOf(one.title, language))
  const clear = new Set(signs).size === signs.length
  judged.forEach((one, index) => found.set(one.class, clear ? signs[index]! : String(one.class)))
  return found
}

/** Points in the order of a list: the worst class first, those without a verdict last, else as they came. */
export function worstFirst(points: readonly MapPoint[]): MapPoint[] {
  return [...points].sort((left, right) => (right.class ?? -1) - (left.class ?? -1))
}

/** How many points each class of a legend has. */
export function countsOf(points: readonly MapPoint[]): Map<number | null, number> {
  const found = new Map<number | null, number>()
  for (const point of points) found.set(point.class, (found.get(point.class) ?? 0) + 1)
  return found
}

/** Whether a point can be drawn: it has a place on the earth. */
export function isPlaced(point: MapPoint): point is MapPoint & { longitude: number; latitude: number } {
  return Number.isFinite(point.longitude) && Number.isFinite(point.latitude)
}
