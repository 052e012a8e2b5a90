import type { ProblemBody, Words } from '@/api'
import { language, say } from '@/i18n'

/** Why a job failed, in the chosen language. */
export function reason(error: ProblemBody | Words | null): string {
  if (error === null) return ''
  if (typeof error === 'string') return error
  const body = error as ProblemBody
  return body[language.value] ?? body.detail ?? body.title ?? say(error as Words)
}
