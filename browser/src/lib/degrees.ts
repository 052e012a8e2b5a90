/** A longitude or latitude in degrees and minutes: `120°30′E`, `40°N`. */
export function formatDegrees(value: number, axis: 'longitude' | 'latitude'): string {
  const positive = axis === 'longitude' ? 'E' : 'N'
  const negative = axis === 'longitude' ? 'W' : 'S'
  const seconds = Math.round(Math.abs(value) * 3600)
  const degrees = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = seconds % 60
  const parts = [`${degrees}°`]
  if (minutes > 0 || rest > 0) parts.push(`${String(minutes).padStart(2, '0')}′`)
  if (rest > 0) parts.push(`${String(rest).padStart(2, '0')}″`)
  return parts.join('') + (seconds === 0 ? '' : value > 0 ? positive : negative)
}
