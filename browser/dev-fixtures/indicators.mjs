/** Figures for looking at the pages; made up, except the plan's own baselines and targets. */

const ROWS = [
  [1, 'air-pm25', '城市细颗粒物 (PM2.5) 浓度', 'PM2.5 concentration', 'air', '微克/立方米', 'lower', 43, 'awaiting', null, [43, 37, 33, 34, 32, 30]],
  [2, 'air-good-days', '城市空气质量优良天数比例', 'Share of good-air days', 'air', '%', 'higher', 82.5, 'issued', 86.5, [82.5, 85.2, 88.5, 83.6, 85.0, 87.1]],
  [3, 'air-heavy-days', '重污染天数比率', 'Share of heavy-pollution days', 'air', '%', 'lower', 1.09, 'issued', 0.6, [1.09, 0.55, 0.27, 1.37, 0.82, 0.82]],
  [4, 'water-good', '地表水质好于Ⅲ类水体比例', 'Surface water better than class III', 'water', '%', 'higher', 57.14, 'fixed', 90.9, [57.14, 72.7, 81.8, 81.8, 90.9, 90.9]],
  [5, 'water-worse', '地表水质劣Ⅴ类水体比例', 'Surface water worse than class V', 'water', '%', 'lower', 0, 'words', null, [0, 0, 0, 0, 0, 0]],
  [6, 'drinking', '县级以上集中式饮用水水源达到或优于Ⅲ类比例', 'Drinking sources of class III or better', 'water', '%', 'higher', 100, 'fixed', 100, [100, 100, 100, 100, 100, 100]],
  [7, 'sea-good', '近岸海域水质优良（一、二类）比例', 'Good coastal water', 'sea', '%', 'higher', 86.9, 'awaiting', null, [null, 88.2, 90.1, 87.5, 91.3, 92.0]],
  [8, 'waste', '城市生活垃圾回收利用率', 'Household waste recovered', 'waste', '%', 'higher', null, 'issued', 35, [null, 21, 26, 29, 31, 33]],
  [9, 'nox', '氮氧化物减少', 'NOx reduced', 'air', '万吨', 'higher', null, 'awaiting', null, []],
  [9, 'voc', '挥发性有机物减少', 'VOC reduced', 'air', '万吨', 'higher', null, 'awaiting', null, []],
  [9, 'cod', '化学需氧量减少', 'COD reduced', 'water', '万吨', 'higher', null, 'awaiting', null, [null, 0.12, 0.31, 0.48, 0.66, 0.81]],
  [9, 'nh3n', '氨氮减少', 'Ammonia nitrogen reduced', 'water', '万吨', 'higher', null, 'awaiting', null, []],
  [10, 'carbon', '单位地区生产总值二氧化碳排放降低', 'CO2 per unit of GDP, reduction', 'climate', '%', 'higher', null, 'awaiting', null, []],
  [11, 'energy', '单位地区生产总值能源消耗降低', 'Energy per unit of GDP, reduction', 'climate', '%', 'higher', null, 'issued', 14.5, [null, 2.4, 5.1, 8.2, 11.0, 12.9]],
  [12, 'farmland', '受污染耕地安全利用率', 'Safe use of polluted farmland', 'soil', '%', 'higher', 97.05, 'awaiting', null, [97.05, 97.2, 97.6]],
  [13, 'land', '重点建设用地安全利用率', 'Safe use of key construction land', 'soil', '%', 'higher', null, 'awaiting', null, []],
  [14, 'forest', '森林覆盖率', 'Forest cover', 'ecology', '%', 'higher', 36.4, 'fixed', 36.65, [36.4, 36.45, 36.5, 36.58, 36.62, 36.7]],
  [15, 'redline', '生态保护红线占国土面积比例', 'Share of land inside the redline', 'ecology', '%', 'higher', null, 'awaiting', null, []],
]

const DOMAINS = {
  air: ['大气环境', 'Air'],
  water: ['水环境', 'Water'],
  sea: ['海洋环境', 'Sea'],
  waste: ['固体废物', 'Waste'],
  climate: ['应对气候变化', 'Climate'],
  soil: ['土壤环境', 'Soil'],
  ecology: ['生态与农村', 'Ecology'],
}
const STATES = {
  met: ['已达目标', 'Met'],
  behind: ['落后时序', 'Behind'],
  missed: ['未达目标', 'Missed'],
  on_pace: ['符合时序', 'On pace'],
  awaiting_province: ['待省核定', 'Awaiting the province'],
  no_data: ['无数据', 'No data'],
}

const title = ([zh, en]) => ({ zh, en })
const text = (value) => (value === null ? '' : String(value))

function reading(id, value, index) {
  const kind = ['waste', 'energy', 'farmland', 'cod', 'forest', 'drinking'].includes(id)
    ? 'reported'
    : 'estimate'
  const network = id === 'water-good' ? (index === 0 ? 'seven-sections' : 'eleven-sections') : 'national'
  return {
    period: String(2020 + index), value, text: text(value), kind, network,
    network_title: id === 'water-good' ? title(index === 0 ? ['7 个断面', '7 sections'] : ['11 个国控断面', '11 national sections']) : title(['国控网络', 'National network']),
    method: 'declared', basis: kind === 'reported' ? 'assessed' : 'audited',
    document: kind === 'reported' ? `葫统发〔${2021 + index}〕8号` : null,
    document_date: kind === 'reported' ? `${2021 + index}-03-15` : null,
    recorded: `${2021 + index}-03-20`, edition: kind === 'estimate' ? 'HJ 663-2013' : null,
  }
}

function stateOf(status, better, latest, target) {
  if (latest === null) return status === 'awaiting' ? 'awaiting_province' : 'no_data'
  if (status === 'awaiting') return 'awaiting_province'
  if (target === null) return 'met'
  if (better === 'higher' ? latest >= target : latest <= target) return 'met'
  return Math.abs(latest - target) < 1 ? 'behind' : 'missed'
}

const ODDS = {
  target_year: 2025, probability: 0.63, text: '63 %', spread: { low: 0.41, high: 0.82, text: '41 %–82 %' }, points_used: 9, from: '2016', refused: null,
  methods: [['linear', '线性趋势', 'linear trend', 0.5, 0.7], ['theil_sen', '泰尔—森斜率（重抽样）', 'Theil–Sen slope, resampled', 0.3, 0.82], ['random_walk', '带漂移的随机游走', 'random walk with drift', 0.2, 0.41]].map(([id, zh, en, weight, probability]) => ({ id, title: { zh, en }, weight, probability, text: `${Math.round(probability * 100)} %` })),
  note: { zh: '按 2016—2024 年的年度值推算，网络与口径未变。', en: 'From the yearly values of 2016 to 2024, of one network and basis.' },
}

export const indicators = ROWS.map(([row, id, zh, en, domain, unit, better, base, status, target, values]) => {
  const points = values.map((value, index) => reading(id, value, index)).filter((one) => one.value !== null)
  const confirmed = id === 'air-pm25' || id === 'air-good-days' ? { ...points[5], value: points[5].value - 1, text: text(points[5].value - 1), kind: 'confirmed', document: '辽环函〔2026〕12号', document_date: '2026-02-10' } : null
  const history = confirmed ? [...points, { ...confirmed, period: '2024', value: points[4].value - 1, text: text(points[4].value - 1) }, confirmed] : points
  const latest = confirmed ?? points[points.length - 1] ?? null
  const state = stateOf(status, better, latest?.value ?? null, target)
  const gap = latest && target !== null ? Math.round((latest.value - target) * 100) / 100 : null
  const broken = id === 'water-good'
  return {
    id, row, title: { zh, en }, domain, domain_title: title(DOMAINS[domain]), unit, better,
    binding: [7, 12, 13].includes(row) ? 'expected' : 'binding',
    baseline: base === null ? null : { year: 2020, value: base, text: text(base), network: points[0]?.network ?? null, note: id === 'sea-good' ? title(['“十三五”均值', 'mean of 2016–2020']) : null },
    target: status === 'words' ? { year: 2025, value: null, text: '基本消除', status, document: null, document_date: null, title: title(['基本消除', 'Basically eliminated']) } : { year: 2025, value: target, text: text(target), status, document: status === 'issued' ? '辽环发〔2022〕5号' : null, document_date: status === 'issued' ? '2022-06-30' : null, title: null },
    latest, estimate: points.filter((one) => one.kind === 'estimate').pop() ?? null, confirmed,
    shown_kind: latest?.kind ?? null,
    gap: gap === null ? null : { value: gap, text: gap > 0 ? `+${gap}` : text(gap) },
    needed_pace: state === 'behind' || state === 'missed' ? { value: -gap, text: text(-gap), per: 'year', source: id === 'energy' ? 'province' : 'straight_line' } : null,
    state, state_title: title(STATES[state]),
    break: broken ? { note: title(['基准为 7 个断面中的 4 个，目标为 11 个断面中的 10 个，网络不同，不能直接相比。', 'The baseline is 4 of 7 sections, the target 10 of 11: not directly comparable.']) } : null,
    odds: id === 'energy' ? ODDS : broken ? { ...ODDS, probability: null, text: null, spread: null, methods: [], points_used: 5, from: '2021', refused: title(['只有 5 个可比的年度值，少于 6 个；2020 年的数属另一网络，不能并入。', 'Only 5 comparable yearly values, fewer than 6; the figure of 2020 is of another network.']) } : null,
    in_year: id === 'air-good-days' ? { year: 2026, days_left: 38, may_lose: { value: 12, text: '12' }, mean_remaining: null, note: title(['全年按 365 天计，还可有 12 天不达优良而仍达到 86.5%。', 'Of 365 days 12 more may fail and 86.5 % is still reached.']) } : null,
    simulated: true, computed: domain === 'air' && row < 4, reporter: row > 3 ? title(['市生态环境局', 'City bureau']) : null,
    points: history,
    history,
    breaks: broken ? [{ after: '2020', before: '2021', reason: 'network', title: title(['断面由 7 个增至 11 个', 'From 7 to 11 sections']) }] : [],
    targets: status === 'awaiting' ? [{ year: 2025, value: null, text: '', status, document: null, document_date: null, title: null }] : [
      ...(id === 'energy' ? [2022, 2023, 2024].map((year) => ({ year, value: (year - 2020) * 2.9, text: text(Math.round((year - 2020) * 29) / 10), status: 'issued', document: `辽发改〔${year}〕3号`, document_date: `${year}-04-01`, title: null })) : []),
      { year: 2025, value: target, text: status === 'words' ? '基本消除' : text(target), status, document: status === 'issued' ? '辽环发〔2022〕5号' : null, document_date: status === 'issued' ? '2022-06-30' : null, title: null },
    ],
    documents: [{ title: title(['葫芦岛市“十四五”生态环境保护规划 葫政办发〔2022〕16号', 'Plan of the city, 2021–2025']), date: '2022-05-25' }],
    notes: broken ? [title(['57.14 % 为 7 个断面中的 4 个；90.9 % 为 11 个断面中的 10 个。', '57.14 % is 4 of 7 sections; 90.9 % is 10 of 11.'])] : [],
    lineage: domain === 'air' && row < 4 ? [2025, 2024].map((year) => ({
      period: String(year), function: 'air.annual', title: title(['年评价：优良天数比例', 'Annual evaluation']), policy: title(['整年用年末日有效的版本', 'The edition in force on the last day, over the whole year']),
      edition: 'GB 3095-2012 / HJ 663-2013', stage: '2018 修改单', clause: '5.3.1', checks: [{ mark: 'C', note: title(['与原文核对', 'compared with the text']) }, { mark: 'M', note: title(['表 3 修约位数待核', 'rounding of table 3 to be compared']) }],
      network: 'national', method: 'annual', basis: 'audited', counts: { valid: 361, expected: 365 }, inputs_revision: 1234, judged_on: '2026-01-05',
      steps: [{ title: title(['剔除无效小时', 'Invalid hours removed']), text: '8 760 → 8 688' }, { title: title(['点位日均', 'Daily means of sites']), text: null }, { title: title(['城市日均＝考核点位平均', 'City mean of assessment sites']), text: '4' }],
      series: ['2084A', '2085A', '2086A', '2087A'].map((site, index) => ({ site, site_title: title([`点位${index + 1}`, `Site ${index + 1}`]), factor: 'a34004', factor_title: title(['细颗粒物 PM2.5', 'PM2.5']), grain: 'hour', basis: 'audited', rows: 8688, first: `${year}-01-01T00:00:00+08:00`, last: `${year}-12-31T23:00:00+08:00` })),
    })) : [],
  }
})
