/** Where marks and their titles go on a map, in pixels: nothing lies over anything else. */

export interface Spot {
  id: string
  x: number
  y: number
}

export type Side = 'right' | 'left' | 'below' | 'above' | 'centre'

export interface Label extends Spot {
  width: number
  height: number
  /** From the middle of the mark to the beginning of the title. */
  offset: number
  /** Sides to be tried, the best first. */
  sides: readonly Side[]
  /** Placed even where there is no room. */
  always?: boolean
}

interface Box {
  left: number
  top: number
  right: number
  bottom: number
}

const ROUNDS = 200
const GOLDEN = Math.PI * (3 - Math.sqrt(5))

/** Moves spots apart until none is nearer to another than a distance; spots with room stay where they are. */
export function spread(spots: readonly Spot[], distance: number): Map<string, { x: number; y: number }> {
  const moved = spots.map(({ x, y }) => ({ x, y }))
  for (let round = 0; round < ROUNDS; round += 1) {
    let calm = true
    for (let one = 0; one < moved.length; one += 1) {
      for (let two = one + 1; two < moved.length; two += 1) {
        const [left, right] = [moved[one]!, moved[two]!]
        let [x, y] = [right.x - left.x, right.y - left.y]
        const apart = Math.hypot(x, y)
        if (apart >= distance - 0.01) continue
        calm = false
        // Spots in one place part in a direction of their own, always the same.
        if (apart < 0.01) [x, y] = [Math.cos(two * GOLDEN), Math.sin(two * GOLDEN)]
        const push = (distance - apart) / 2 / Math.hypot(x, y)
        left.x -= x * push
        left.y -= y * push
        right.x += x * push
        right.y += y * push
      }
    }
    if (calm) break
  }
  return new Map(spots.map((spot, index) => [spot.id, moved[index]!]))
}

export function boxOf(label: Label, side: Side): Box {
  const { x, y, width, height, offset } = label
  const box = (left: number, top: number): Box => ({ left, top, right: left + width, bottom: top + height })
  switch (side) {
    case 'right':
      return box(x + offset, y - height / 2)
    case 'left':
      return box(x - offset - width, y - height / 2)
    case 'below':
      return box(x - width / 2, y + offset)
    case 'above':
      return box(x - width / 2, y - offset - height)
    case 'centre':
      return box(x - width / 2, y - height / 2)
  }
}

function meet(one: Box, two: Box): boolean {
  return one.left < two.right && two.left < one.right && one.top < two.bottom && two.top < one.bottom
}

/**
 * The side of each title that has room, in the order given: within the map, off all marks and off the titles before it.
 *
 * A title without room on any of its sides is left out, unless it must be there.
 */
export function placeLabels(
  labels: readonly Label[],
  marks: readonly Spot[],
  radius: number,
  size: { width: number; height: number },
): Map<string, Side> {
  const taken: Box[] = marks.map(({ x, y }) => ({ left: x - radius, top: y - radius, right: x + radius, bottom: y + radius }))
  const placed = new Map<string, Side>()
  const inside = (box: Box) => box.left >= 2 && box.top >= 2 && box.right <= size.width - 2 && box.bottom <= size.height - 2
  for (const label of labels) {
    const sides = label.sides.filter((side) => inside(boxOf(label, side)))
    const free = sides.find((side) => !taken.some((box) => meet(box, boxOf(label, side))))
    const side = free ?? (label.always ? (sides[0] ?? label.sides[0]) : undefined)
    if (side === undefined) continue
    placed.set(label.id, side)
    taken.push(boxOf(label, side))
  }
  return placed
}
