/** Points of the demo city's pack with classes made up, for looking at the map. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PACK = fileURLToPath(new URL('../../cities/huludao/', import.meta.url))
const title = (zh, en) => ({ zh, en })
const WATER = [['Ⅰ类', 'Class I', '#00ccff'], ['Ⅱ类', 'Class II', '#00ccff'], ['Ⅲ类', 'Class III', '#00ff00'], ['Ⅳ类', 'Class IV', '#ffff00'], ['Ⅴ类', 'Class V', '#ff9b00'], ['劣Ⅴ类', 'Worse than class V', '#ff0000']]
const GROUND = WATER.slice(0, 5)
const SEA = [['一类', 'Class 1', '#0070c0'], ['二类', 'Class 2', '#5bc2e7'], ['三类', 'Class 3', '#92d050'], ['四类', 'Class 4', '#ffc000'], ['劣四类', 'Worse than class 4', '#ff0000']]
const AIR = [['优', 'Excellent', '#00e400'], ['良', 'Good', '#ffff00'], ['轻度污染', 'Lightly polluted', '#ff7e00'], ['中度污染', 'Moderately polluted', '#ff0000'], ['重度污染', 'Heavily polluted', '#99004c'], ['严重污染', 'Severely polluted', '#7e0023']]
const REACHED = [['达标', 'Met', '#2c9f6b'], ['不达标', 'Not met', '#d0483e']]
const MEDIA = [
  ['surface-water', title('地表水', 'Surface water'), 'sites-water', WATER, [2, 3, 3, 4, 3, 5, 2, 3, 6, 3, null]],
  ['air', title('环境空气', 'Air'), 'sites', AIR, [1, 2, 2, 2, 1, 3]],
  ['sea', title('近岸海域', 'Coastal water'), 'sites-sea', SEA, [1, 1, 2, 1, 3, 1, 4, 1, 2, 5]],
  ['groundwater', title('地下水', 'Groundwater'), 'sites-groundwater', GROUND, [3, 4, 3, 2, 4, 5, 3, null]],
  ['drinking-source', title('饮用水水源', 'Drinking sources'), 'sites-sources', REACHED, [1, 1, 1, 1, 2, 1]],
  ['noise', title('声环境', 'Noise'), 'sites-noise', REACHED, [1, 1, 1, 2, 1, 1, 2, 1, 1, 1]],
]

function sitesOf(file) {
  const path = `${PACK}${file}.yaml`
  if (!existsSync(path)) return []
  const pattern = /- id: "([^"]+)"\s+title: \{zh: ([^,]+), en: "?([^}"]+)"?\}\s+place: "(\d+)"[\s\S]*?longitude: ([\d.]+)\s+latitude: ([\d.]+)/g
  return [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, site, zh, en, place, longitude, latitude]) => ({ site, title: title(zh, en), place, longitude: Number(longitude), latitude: Number(latitude) }))
}

const boundary = existsSync(`${PACK}boundaries.geojson`) ? JSON.parse(readFileSync(`${PACK}boundaries.geojson`, 'utf8')) : null
const places = new Map((boundary?.features ?? []).map((one) => [one.properties.adcode, one.properties.title]))
const FACTORS = [['w01018', title('化学需氧量', 'COD'), '18.2', 'mg/L'], ['w21003', title('氨氮', 'Ammonia nitrogen'), '0.42', 'mg/L'], ['w21011', title('总磷', 'Total phosphorus'), '0.11', 'mg/L'], ['w01009', title('溶解氧', 'Dissolved oxygen'), '8.6', 'mg/L']]

export function mapOf(query, empty) {
  const medium = query.get('medium') ?? 'surface-water'
  const found = MEDIA.find(([id]) => id === medium)
  if (!found) return [422, { zh: `没有“${medium}”这一要素。`, en: `There is no medium “${medium}”.`, field: 'medium' }]
  const [, , file, words, classes] = found
  const none = { class: null, title: title('未评价', 'Not judged'), colour: '#c4cad1' }
  const points = sitesOf(file).map((site, index) => {
    const judged = empty ? null : (classes[index % classes.length] ?? null)
    const word = judged === null ? none : { class: judged, title: title(words[judged - 1][0], words[judged - 1][1]), colour: words[judged - 1][2] }
    return {
      ...site, ...(index === 6 && medium === 'noise' ? { longitude: null, latitude: null } : {}), place_title: places.get(site.place) ?? null, role_titles: [title('国控断面', 'National section')], network: index % 2 ? title('国控断面 11 个', '11 national sections') : null,
      class: word.class, word: word.title, colour: word.colour, main_pollutants: judged !== null && judged > 3 ? '总磷(0.35)、氨氮(0.2)' : null,
      edition: judged === null ? null : 'GB 3838-2002', clause: judged === null ? null : '表1', missing: judged === null ? null : index % 2 ? '粪大肠菌群' : null,
      note: judged === null ? title('该时段没有数据', 'No data in the period') : null,
      factors: judged === null ? [] : FACTORS.map(([factor, name, text, unit]) => ({ factor, title: name, text, unit })), simulated: true,
    }
  })
  return [200, {
    as_of: query.get('as_of') ?? '2026-11-23', medium, simulated: true, boundary,
    media: MEDIA.map(([id, name, own]) => ({ id, title: name, points: sitesOf(own).length })),
    period: empty ? null : { start: '2025-12-01', end: '2025-12-31', text: title('2025 年 12 月', 'December 2025') },
    note: title('界线为示意，不作权属依据；公开使用须取得审图号。', 'Outlines are for orientation only; a published map needs an approval number.'),
    legend: [...words.map(([zh, en, colour], index) => ({ class: index + 1, title: title(zh, en), colour })), none], points,
  }]
}
