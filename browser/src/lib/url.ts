export type Query = Record<string, string | number | null | undefined>

/** `?a=1&b=2` of the entries that say something; empty when none does. */
export function queryString(query: Query): string {
  const parts: string[] = []
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue
    parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
  }
  return parts.length > 0 ? `?${parts.join('&')}` : ''
}

/** The first value of a query entry as the router gives it. */
export function single(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value
  return typeof first === 'string' && first !== '' ? first : undefined
}

/** A query entry that must be a day (`2024-05-31`); anything else counts as not given. */
export function day(value: unknown): string | undefined {
  const text = single(value)
  if (text === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const time = Date.parse(`${text}T00:00:00Z`)
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text ? undefined : text
}

/** A whole number of a query entry within bounds, else the fallback. */
export function wholeNumber(value: unknown, low: number, high: number, fallback: number): number {
  const text = single(value)
  if (text === undefined || !/^\d+$/.test(text)) return fallback
  const number = Number(text)
  return number >= low && number <= high ? number : fallback
}
