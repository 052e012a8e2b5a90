const STEPS = [0.1, 1 / 3, 2 / 3, 0.9] as const

/** Which of five words a probability is spoken of with: 1 (hardly) to 5 (nearly sure). */
export function oddsStep(probability: number): 1 | 2 | 3 | 4 | 5 {
  return (STEPS.filter((step) => probability >= step).length + 1) as 1 | 2 | 3 | 4 | 5
}

/** A probability or a weight in whole per cent; never 0 or 100 for what is neither. */
export function formatOdds(probability: number | null | undefined): string {
  if (probability === null || probability === undefined || !Number.isFinite(probability)) return '—'
  const percent = Math.round(probability * 100)
  if (percent === 0 && probability > 0) return '<1 %'
  if (percent === 100 && probability < 1) return '>99 %'
  return `${percent} %`
}
