import type { Import, ProblemBody, Words } from '@/api'
import { language, say } from '@/i18n'

export function fileNames(one: Import): string[] {
  return one.files.map((file) => (typeof file === 'string' ? file : file.name))
}

/** Why an import failed, in the chosen language. */
export function reason(error: ProblemBody | Words | null): string {
  if (error === null) return ''
  if (typeof error === 'string') return error
  const body = error as ProblemBody
  return body[language.value] ?? body.detail ?? body.title ?? say(error as Words)
}
