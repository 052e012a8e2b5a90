import Feature from 'ol/Feature'
import type OlMap from 'ol/Map'
import { createEmpty, extend, type Extent } from 'ol/extent'
import GeoJSON from 'ol/format/GeoJSON'
import type { Geometry, MultiPolygon, Polygon } from 'ol/geom'
import Point from 'ol/geom/Point'
import Graticule from 'ol/layer/Graticule'
import VectorLayer from 'ol/layer/Vector'
import { fromLonLat } from 'ol/proj'
import VectorSource from 'ol/source/Vector'

import type { MapAnswer, MapPoint, Words } from '@/api'
import { say } from '@/i18n'
import { formatDegrees } from '@/lib/degrees'
import { placeLabels, spread, type Label, type Side, type Spot } from '@/lib/layout'
import { isPlaced, NO_VERDICT } from '@/lib/signs'

import {
  boundaryStyle,
  graticuleStroke,
  graticuleText,
  labelFont,
  labelStyle,
  leaderStyle,
  NAME_FONT,
  nameStyle,
  OFFSET,
  pointStyle,
  RADIUS,
  RING,
} from './mapStyle'

const HEIGHT = 16
const APART = 2 * RADIUS + 3

export interface Shown {
  answer: MapAnswer
  signs: Map<number | null, string>
  chosen: string | undefined
}

const ruler = document.createElement('canvas').getContext('2d')

function widthOf(text: string, font: string): number {
  if (!ruler) return text.length * 12
  ruler.font = font
  return ruler.measureText(text).width
}

/** Where the name of a place stands: inside its largest part, so that its islands have none. */
function middleOf(geometry: Geometry): Point | undefined {
  const parts = geometry.getType() === 'MultiPolygon' ? (geometry as MultiPolygon).getPolygons() : [geometry as Polygon]
  if (!parts[0] || parts[0].getType() !== 'Polygon') return undefined
  const largest = parts.reduce((found, part) => (part.getArea() > found.getArea() ? part : found))
  const [x, y] = largest.getInteriorPoint().getCoordinates() as [number, number]
  return new Point([x, y])
}

/** The layers of the map and what lies in them, all from one answer. */
export class Drawing {
  hovered: string | undefined

  private readonly boundary = new VectorSource()
  private readonly names = new VectorSource<Feature<Point>>()
  private readonly points = new VectorSource<Feature<Point>>()
  private sides = new Map<string, Side>()

  readonly marks: VectorLayer
  readonly layers: (VectorLayer | Graticule)[]

  constructor(private readonly shown: () => Shown) {
    this.marks = new VectorLayer({ source: this.points, style: (feature) => this.markOf(feature as Feature<Point>) })
    this.layers = [
      new VectorLayer({ source: this.boundary, style: (feature) => boundaryStyle(this.isWhole(feature.get('level'))) }),
      new Graticule({
        strokeStyle: graticuleStroke,
        showLabels: true,
        wrapX: false,
        targetSize: 130,
        lonLabelPosition: 1,
        latLabelPosition: 1,
        lonLabelStyle: graticuleText('top'),
        latLabelStyle: graticuleText('right'),
        lonLabelFormatter: (value) => formatDegrees(value, 'longitude'),
        latLabelFormatter: (value) => formatDegrees(value, 'latitude'),
      }),
      new VectorLayer({
        source: this.names,
        style: (feature) => (this.sides.has(String(feature.getId())) ? nameStyle(say(feature.get('title') as Words)) : undefined),
      }),
      this.marks,
      new VectorLayer({ source: this.points, style: (feature) => this.labelOf(feature as Feature<Point>) }),
    ]
  }

  fill(): void {
    const { answer } = this.shown()
    this.boundary.clear()
    this.names.clear()
    this.points.clear()
    if (answer.boundary) {
      const outlines = new GeoJSON({ featureProjection: 'EPSG:3857' }).readFeatures(answer.boundary)
      this.boundary.addFeatures(outlines)
      for (const outline of outlines) this.nameIt(outline)
    }
    for (const point of answer.points.filter(isPlaced)) {
      const place = new Point(fromLonLat([point.longitude, point.latitude]))
      const feature = new Feature(place)
      feature.setId(point.site)
      feature.set('point', point)
      feature.set('at', place)
      this.points.addFeature(feature)
    }
  }

  /** All that is drawn. */
  extent(): Extent {
    const found = createEmpty()
    for (const source of [this.boundary, this.points]) if (source.getFeatures().length > 0) extend(found, source.getExtent()!)
    return found
  }

  placeOf(site: string): Point | undefined {
    return this.points.getFeatureById(site)?.get('at') as Point | undefined
  }

  /** Makes room between marks and between titles, for the part of the earth that is now in sight. */
  arrange(map: OlMap): void {
    const size = map.getSize()
    const resolution = map.getView().getResolution()
    if (!size || !resolution) return
    const [width, height] = size as [number, number]
    const [west, , , north] = map.getView().calculateExtent(size) as [number, number, number, number]
    const pixel = ([x, y]: number[]) => ({ x: (x! - west) / resolution, y: (north - y!) / resolution })
    const features = this.points.getFeatures()
    const spots = features.map((one) => ({ id: String(one.getId()), ...pixel(one.getGeometry()!.getCoordinates()) }))
    const apart = spread(spots, APART)
    for (const [index, feature] of features.entries()) {
      const [from, to] = [spots[index]!, apart.get(spots[index]!.id)!]
      const still = Math.hypot(to.x - from.x, to.y - from.y) < 1
      feature.set('at', still ? feature.getGeometry() : new Point([west + to.x * resolution, north - to.y * resolution]), true)
    }
    const marks: Spot[] = [...apart].map(([id, at]) => ({ id, ...at }))
    this.sides = placeLabels([...this.labels(apart), ...this.nameLabels(pixel)], marks, RADIUS + 2, { width, height })
    this.redraw()
  }

  redraw(): void {
    for (const layer of this.layers) layer.changed()
  }

  private nameIt(outline: Feature): void {
    const geometry = outline.getGeometry()
    const middle = geometry && !this.isWhole(outline.get('level')) ? middleOf(geometry) : undefined
    if (!middle || !outline.get('title')) return
    const name = new Feature(middle)
    name.setId(`name:${String(outline.get('adcode'))}`)
    name.set('title', outline.get('title'))
    this.names.addFeature(name)
  }

  /** The whole city where it is given apart from its parts, else each outline for itself. */
  private isWhole(level: unknown): boolean {
    return level === 'city' || this.boundary.getFeatures().length === 1
  }

  /** The chosen point's title first, then the worse classes'. */
  private labels(at: Map<string, { x: number; y: number }>): Label[] {
    const { chosen } = this.shown()
    const points = this.points.getFeatures().map((one) => one.get('point') as MapPoint)
    const first = (point: MapPoint) => (point.site === chosen ? 100 : (point.class ?? -1))
    return points
      .sort((left, right) => first(right) - first(left))
      .map((point) => ({
        id: point.site,
        ...at.get(point.site)!,
        width: widthOf(say(point.title), labelFont(point.site === chosen)) + 3,
        height: HEIGHT,
        offset: OFFSET + (point.site === chosen ? RING : 0),
        sides: ['right', 'left', 'below', 'above'],
        always: point.site === chosen,
      }))
  }

  private nameLabels(pixel: (place: number[]) => { x: number; y: number }): Label[] {
    return this.names.getFeatures().map((one) => ({
      id: String(one.getId()),
      ...pixel(one.getGeometry()!.getCoordinates()),
      width: widthOf(say(one.get('title') as Words), NAME_FONT) + 6,
      height: HEIGHT + 2,
      offset: 0,
      sides: ['centre'],
    }))
  }

  private markOf(feature: Feature<Point>) {
    const point = feature.get('point') as MapPoint
    const { signs, chosen } = this.shown()
    const [place, at] = [feature.getGeometry()!, feature.get('at') as Point]
    const own = pointStyle(point, signs.get(point.class) ?? NO_VERDICT, point.site === chosen, at)
    return place === at ? own : [...leaderStyle(place, at), ...own]
  }

  private labelOf(feature: Feature<Point>) {
    const point = feature.get('point') as MapPoint
    const pointed = point.site === this.hovered
    const side = this.sides.get(point.site) ?? (pointed ? 'right' : undefined)
    if (side === undefined) return undefined
    return labelStyle(say(point.title), side, pointed || point.site === this.shown().chosen, feature.get('at') as Point, HEIGHT)
  }
}
