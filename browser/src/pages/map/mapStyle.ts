import type Point from 'ol/geom/Point'
import LineString from 'ol/geom/LineString'
import { Circle, Fill, RegularShape, Stroke, Style, Text } from 'ol/style'

import type { MapPoint } from '@/api'
import { FONT } from '@/composables/fonts'
import { inkOn } from '@/lib/colour'
import type { Side } from '@/lib/layout'
import { NO_VERDICT } from '@/lib/signs'

const INK = '#1f2a37'
const BRAND = '#1d4f7c'
const LAND = '#fbfaf5'
const NONE = '#f4f6f8'

export const RADIUS = 10.5
export const OFFSET = RADIUS + 6
/** How much farther from its mark the title of a point with a ring stands. */
export const RING = 4
export const NAME_FONT = `13px ${FONT}`

export function labelFont(strong: boolean): string {
  return `${strong ? 700 : 500} 12px ${FONT}`
}

const halo = new Fill({ color: 'rgba(255, 255, 255, 0.9)' })
const edge = new Stroke({ color: INK, width: 1.1 })
const ring = new Circle({ radius: RADIUS + 5, stroke: new Stroke({ color: BRAND, width: 3 }), fill: halo })
const backing = new Circle({ radius: RADIUS + 1.6, fill: halo })
const spot = new Circle({ radius: 2, fill: new Fill({ color: INK }) })

/** Circles for the classes, a square for no verdict; a point's class is also written in it. */
function markOf(point: MapPoint): Circle | RegularShape {
  if (point.class !== null) return new Circle({ radius: RADIUS, fill: new Fill({ color: point.colour }), stroke: edge })
  return new RegularShape({
    points: 4,
    radius: RADIUS + 2,
    angle: Math.PI / 4,
    fill: new Fill({ color: NONE }),
    stroke: new Stroke({ color: INK, width: 1.1, lineDash: [3, 2] }),
  })
}

/** How a point is drawn: worse classes lie above better ones, the chosen point above all. */
export function pointStyle(point: MapPoint, sign: string, chosen: boolean, at: Point): Style[] {
  const zIndex = chosen ? 1000 : 10 + (point.class ?? 0)
  return [
    new Style({ geometry: at, zIndex, image: chosen ? ring : backing }),
    new Style({
      geometry: at,
      zIndex,
      image: markOf(point),
      text: new Text({
        text: sign,
        font: `600 ${sign.length > 1 ? 10 : 12}px ${FONT}`,
        fill: new Fill({ color: sign === NO_VERDICT ? INK : inkOn(point.colour) }),
        offsetY: 1,
      }),
    }),
  ]
}

/** From a mark that had to make room to where the point really is. */
export function leaderStyle(place: Point, at: Point): Style[] {
  return [
    new Style({
      geometry: new LineString([place.getCoordinates(), at.getCoordinates()]),
      stroke: new Stroke({ color: INK, width: 1 }),
      zIndex: 1,
    }),
    new Style({ geometry: place, image: spot, zIndex: 1 }),
  ]
}

const ALIGN: Record<Side, CanvasTextAlign> = { right: 'left', left: 'right', below: 'center', above: 'center', centre: 'center' }
const SHIFT: Record<Side, [number, number]> = { right: [1, 0], left: [-1, 0], below: [0, 1], above: [0, -1], centre: [0, 0] }

/** The title beside a point, on the side where there is room. */
export function labelStyle(title: string, side: Side, strong: boolean, at: Point, height: number): Style {
  const [x, y] = SHIFT[side]
  const offset = OFFSET + (strong ? RING : 0)
  return new Style({
    geometry: at,
    zIndex: strong ? 2000 : 1,
    text: new Text({
      text: title,
      font: labelFont(strong),
      textAlign: ALIGN[side],
      offsetX: x * offset,
      offsetY: y * (offset + height / 2) + 1,
      fill: new Fill({ color: INK }),
      stroke: new Stroke({ color: 'rgba(255, 255, 255, 0.95)', width: 3.5 }),
    }),
  })
}

export function nameStyle(title: string): Style {
  return new Style({
    text: new Text({
      text: title,
      font: NAME_FONT,
      fill: new Fill({ color: '#6b7684' }),
      stroke: new Stroke({ color: LAND, width: 3 }),
    }),
  })
}

const outermost = [
  new Style({ fill: new Fill({ color: LAND }), zIndex: 0 }),
  new Style({ stroke: new Stroke({ color: '#7b8794', width: 1.8 }), zIndex: 2 }),
]
const district = new Style({ stroke: new Stroke({ color: '#b3bcc6', width: 1 }), zIndex: 1 })

/** The city's outline strong, those of its districts light. */
export function boundaryStyle(whole: boolean): Style | Style[] {
  return whole ? outermost : district
}

export const graticuleStroke = new Stroke({ color: 'rgba(70, 100, 130, 0.28)', width: 1, lineDash: [2, 4] })

export function graticuleText(edgeOf: 'top' | 'right'): Text {
  return new Text({
    font: `11px ${FONT}`,
    textBaseline: edgeOf === 'top' ? 'top' : 'middle',
    textAlign: edgeOf === 'right' ? 'end' : 'center',
    offsetY: edgeOf === 'top' ? 3 : 0,
    offsetX: edgeOf === 'right' ? -3 : 0,
    fill: new Fill({ color: '#55606e' }),
    stroke: new Stroke({ color: 'rgba(255, 255, 255, 0.9)', width: 3 }),
  })
}
