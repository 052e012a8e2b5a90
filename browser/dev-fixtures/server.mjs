/** A small stand-in for the server, on loopback, for looking at the pages. Never shipped. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { indicators } from './indicators.mjs'
import { mapOf } from './map.mjs'

const port = Number(process.argv[2] ?? 8765)
const built = fileURLToPath(new URL('../../src/qinglan/web/browser/', import.meta.url))
const empty = process.argv.includes('--empty')

const title = (zh, en) => ({ zh, en })
const plan = { id: '14fyp', title: title('葫芦岛市“十四五”生态环境保护规划', 'Huludao ecological plan 2021–2025'), start: '2021-01-01', end: '2025-12-31', status: 'ended' }
const sites = ['2084A', '2085A', '2086A', '2087A'].map((id, index) => ({
  id, title: title(`示例点位${index + 1}`, `Sample site ${index + 1}`), place: '211400', place_title: title('葫芦岛市', 'Huludao'),
  roles: [{ role: 'assessment', start: '2015-01-01', end: null }], longitude: 120.8, latitude: 40.7, simulated: true,
}))
const FACTORS = { a34004: ['细颗粒物 PM2.5', 'PM2.5', 35], a34002: ['可吸入颗粒物 PM10', 'PM10', 62], a05024: ['臭氧', 'Ozone', 80], a21026: ['二氧化硫', 'SO2', 12], a21004: ['二氧化氮', 'NO2', 26], a21005: ['一氧化碳', 'CO', 0.8] }
const factors = Object.entries(FACTORS).map(([id, [zh, en]]) => ({ id, title: title(zh, en), unit: id === 'a21005' ? 'mg/m3' : 'μg/m3', alias: null, medium: 'air' }))

function noise(seed) {
  const wave = Math.sin(seed * 12.9898) * 43758.5453
  return wave - Math.floor(wave)
}

function seriesOf(site) {
  return Object.keys(FACTORS).flatMap((factor) => ['hour', 'day'].map((grain) => ({
    site, factor, grain, basis: 'audited', unit: factor === 'a21005' ? 'mg/m3' : 'μg/m3', first: '2020-01-01T00:00:00+08:00', last: '2025-12-31T00:00:00+08:00', rows: 52000, latest: { time: '2025-12-31T00:00:00+08:00', value: 31, text: '31' }, simulated: true,
  })))
}

function seriesData(query) {
  const grain = query.get('grain')
  const length = grain === 'hour' ? 3600e3 : 86400e3
  const from = Date.parse(`${query.get('start')}T00:00:00+08:00`)
  const to = Date.parse(`${query.get('end')}T00:00:00+08:00`) + 86400e3
  const level = FACTORS[query.get('factor')][2]
  const points = []
  let expected = 0
  for (let time = from; time < to; time += length) {
    const index = Math.floor(time / length)
    expected += 1
    if (noise(Math.floor(index / 30)) > 0.94) continue
    const value = Math.round(level * (0.5 + noise(Math.floor(index / 40)) + 0.3 * noise(index)) * 10) / 10
    const flag = noise(index + 0.5) > 0.985 ? 'fault' : null
    points.push([new Date(time + 8 * 3600e3).toISOString().slice(0, 19) + '+08:00', flag ? value * 3 : value, flag, null, 'simulated', '2026-01-03T08:00:00+08:00', 1 + (index % 7)])
  }
  return { series: Object.fromEntries(query), unit: 'μg/m3', expected, present: points.length, valid: points.filter((point) => !point[2]).length, points, flags: { fault: { ...title('仪器故障', 'Instrument fault'), valid: false } }, truncated: false }
}

const LEVELS = [['优', 'Excellent', '#00e400', 0, 50], ['良', 'Good', '#ffff00', 51, 100], ['轻度污染', 'Lightly polluted', '#ff7e00', 101, 150], ['中度污染', 'Moderately polluted', '#ff0000', 151, 200], ['重度污染', 'Heavily polluted', '#99004c', 201, 300], ['严重污染', 'Severely polluted', '#7e0023', 301, 500]]

function calendar(query) {
  const year = Number(query.get('year'))
  const days = []
  for (let time = Date.UTC(year, 0, 1); time < Date.UTC(year + 1, 0, 1); time += 86400e3) {
    const date = new Date(time).toISOString().slice(0, 10)
    const index = time / 86400e3
    const winter = Math.cos((new Date(time).getUTCMonth() / 12) * 2 * Math.PI)
    const aqi = noise(index) > 0.97 || date > '2026-05-20' ? null : Math.round(30 + 40 * noise(Math.floor(index / 3)) + 30 * noise(index) + 20 * winter + (noise(index + 7) > 0.98 ? 130 : 0) + (noise(index + 9) > 0.996 ? 150 : 0))
    const level = aqi === null ? null : LEVELS.findIndex((one) => aqi <= one[4]) + 1
    days.push({ date, aqi, level, title: level ? title(LEVELS[level - 1][0], LEVELS[level - 1][1]) : null, colour: level ? LEVELS[level - 1][2] : null, primary: level && level > 1 ? [winter > 0 ? 'PM2.5' : '臭氧'] : [], values: level ? Object.fromEntries(Object.keys(FACTORS).map((id) => [id, { value: FACTORS[id][2], text: String(FACTORS[id][2]), unit: id === 'a21005' ? 'mg/m3' : 'μg/m3' }])) : {}, edition: date < '2026-03-01' ? 'hj633-2012' : 'hj633-2026', note: level ? null : title('有效小时不足 20 个', 'Fewer than 20 valid hours'), missing: level ? null : 'PM2.5' })
  }
  const count = (list) => ({ good: list.filter((day) => day.level !== null && day.level <= 2).length, heavy: list.filter((day) => day.level >= 5).length, valid: list.filter((day) => day.aqi !== null).length, calendar: list.length })
  const summary = count(days)
  const share = (part) => ({ value: part / summary.valid, text: ((part / summary.valid) * 100).toFixed(1) })
  const editions = [{ id: 'hj633-2012', title: 'HJ 633—2012', start: `${year}-01-01`, end: year === 2026 ? '2026-02-28' : `${year}-12-31` }, ...(year === 2026 ? [{ id: 'hj633-2026', title: 'HJ 633—2026', start: '2026-03-01', end: null }] : [])]
  return {
    scope: { id: '211400', title: title('葫芦岛市', 'Huludao') }, year, days, editions, simulated: true,
    legend: LEVELS.map(([zh, en, colour, low, high], index) => ({ level: index + 1, title: title(zh, en), colour, low, high })),
    months: Array.from({ length: 12 }, (_, month) => ({ month: month + 1, ...count(days.filter((day) => Number(day.date.slice(5, 7)) === month + 1)) })),
    summary: { ...summary, share_good: share(summary.good), share_heavy: share(summary.heavy) },
    policy: title('按每天当日有效的版本评价', 'Each day by the edition of its own date'),
  }
}

const imports = empty ? [] : [
  { id: 'i2', files: [{ name: '示例小时值_2025-12.csv', size: 220000 }], state: 'done', basis: 'audited', source: 'file', counts: { read: 17856, added: 17840, repeated: 0, revised: 4, rejected: 12, empty: 0 }, progress: null, started: '2026-01-03T08:41:00+08:00', finished: '2026-01-03T08:41:09+08:00', error: null, simulated: false },
  { id: 'i1', files: ['模拟数据 2020–2025'], state: 'done', basis: 'audited', source: 'simulated', counts: { read: 1262304, added: 1262304, repeated: 0, revised: 0, rejected: 0, empty: 118 }, progress: null, started: '2026-01-02T09:00:00+08:00', finished: '2026-01-02T09:00:40+08:00', error: null, simulated: true },
]
const rejects = Array.from({ length: 12 }, (_, index) => ({ file: '示例小时值_2025-12.csv', row: 17 + index * 31, field: 'PM2.5', value: index % 2 ? '——' : '12..5', zh: `第 ${17 + index * 31} 行 PM2.5 的“${index % 2 ? '——' : '12..5'}”不是数字；缺测请留空。`, en: `Row ${17 + index * 31}: PM2.5 is not a number; leave it empty where nothing was measured.` }))

function board() {
  const shown = indicators.map((one) => (empty ? { ...one, latest: null, estimate: null, confirmed: null, points: [], state: 'no_data', state_title: title('无数据', 'No data'), gap: null, needed_pace: null } : one))
  const summary = {}
  for (const one of shown) summary[one.state] = (summary[one.state] ?? 0) + 1
  return { plan, as_of: '2026-11-23', simulated: !empty, summary, indicators: shown }
}

function answer(method, path, query) {
  if (method === 'POST' && path.endsWith('/targets')) return [422, { title: 'InputError', status: 422, zh: '第 value 项：目标值不能小于 0。', en: 'value: a target cannot be below 0.', field: 'value' }]
  if (method === 'POST' && path === '/imports') {
    imports.unshift({ ...imports[0], id: `i${imports.length + 1}`, state: 'running', counts: { read: 900, added: 900, repeated: 0, revised: 0, rejected: 0 }, progress: { done: 3, total: 10, message: title('正在写入', 'Writing') }, started: '2026-11-23T09:00:00+08:00', error: null })
    const one = imports[0]
    setTimeout(() => Object.assign(one, { state: 'done', progress: null }), 4000)
    return [202, one]
  }
  if (method === 'POST' && path === '/evaluations') return [202, { job: 'j1' }]
  if (method === 'DELETE') return [200, indicators.find((one) => path.includes(`/${one.id}/`))]
  if (method === 'POST') return [200, { ...indicators.find((one) => path.includes(`/${one.id}/`)), warnings: [title('与本市的数相差三倍以上，已登记，请核对。', 'More than three times off the city\'s own figure: recorded; check it.')] }]
  if (path === '/meta') return [200, { version: '0.1.0', city: { id: '211400', title: title('葫芦岛市', 'Huludao') }, plan, today: '2026-11-23', simulated: true, first_run: empty }]
  if (path === '/board') return [200, board()]
  if (path.startsWith('/indicators/')) {
    const found = indicators.find((one) => `/indicators/${one.id}` === path)
    return found ? [200, found] : [404, { zh: `没有编号为“${path.slice(12)}”的指标。`, en: `There is no indicator “${path.slice(12)}”.` }]
  }
  if (path === '/sites') return [200, empty ? [] : sites]
  if (path === '/factors') return [200, factors]
  if (path === '/series') return [200, seriesOf(query.get('site') ?? sites[0].id)]
  if (path === '/series/data') return [200, seriesData(query)]
  if (path === '/air/calendar') return [200, calendar(query)]
  if (path === '/map') return mapOf(query, empty)
  if (path === '/imports') return [200, imports]
  if (path.endsWith('/rejects')) return [200, { total: rejects.length, rows: rejects }]
  if (path.startsWith('/imports/')) return [200, imports.find((one) => `/imports/${one.id}` === path)]
  if (path.startsWith('/jobs/')) return [200, { id: 'j1', kind: 'evaluate', state: 'done', progress: null, started: null, finished: null, error: null }]
  return [404, {}]
}

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

createServer((request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1')
  if (url.pathname.startsWith('/api/v1')) {
    request.resume()
    request.on('end', () => {
      const [status, body] = answer(request.method, decodeURIComponent(url.pathname.slice(7)), url.searchParams)
      response.writeHead(status, { 'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json' })
      response.end(JSON.stringify(body ?? null))
    })
    return
  }
  const file = join(built, url.pathname)
  const found = existsSync(file) && statSync(file).isFile() ? file : join(built, 'index.html')
  response.writeHead(200, { 'Content-Type': TYPES[extname(found)] ?? 'application/octet-stream' })
  createReadStream(found).pipe(response)
}).listen(port, '127.0.0.1')
