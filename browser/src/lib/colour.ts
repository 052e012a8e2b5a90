function channel(value: number): number {
  const share = value / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}

/** Relative luminance (WCAG 2) of `#rrggbb`. */
export function luminance(colour: string): number {
  const found = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour)
  if (!found) return 1
  const [red, green, blue] = found.slice(1).map((part) => channel(Number.parseInt(part, 16)))
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

/** Black or white, whichever is easier to read on a ground. */
export function inkOn(ground: string): '#000000' | '#ffffff' {
  const light = luminance(ground)
  return (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) ? '#000000' : '#ffffff'
}
