/** A whole number with thousands apart; an em dash for none. */
export function formatCount(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '—'
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A share of a whole in percent with one decimal, cut down, so that 100 % means all. */
export function formatShare(part: number | null | undefined, whole: number | null | undefined): string {
  if (part === null || part === undefined || !whole) return '—'
  return `${(Math.floor((part / whole) * 1000 + 1e-9) / 10).toFixed(1)}%`
}

/** A measured number as it came, without the noise of binary fractions. */
export function formatValue(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '—'
  return String(Number(value.toPrecision(12)))
}

/** A signed text: `+1.5`, `-0.3`, `0`; a sign already there is kept. */
export function signed(value: number | null | undefined, text: string): string {
  if (value === null || value === undefined) return '—'
  return value > 0 && !text.startsWith('+') ? `+${text}` : text
}

/** A unit as it is written: `ug/m3` of the catalogue becomes `µg/m³`; a bare number has none. */
export function formatUnit(unit: string | null | undefined): string {
  if (unit === '1') return ''
  return (unit ?? '').replace(/^ug\b/, 'µg').replace(/^degC$/, '°C').replace(/\bm3\b/, 'm³').replace(/\bm2\b/, 'm²')
}

export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

/** The number an officer typed; undefined unless it is one (full-width digits are read too). */
export function parseNumber(text: string): number | undefined {
  const plain = text.normalize('NFKC').replace(/,/g, '').trim()
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(plain)) return undefined
  return Number(plain)
}
