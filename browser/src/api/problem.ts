import type { Language } from '@/i18n'

import type { ProblemBody } from './types'

/** A refusal of the server (problem+json), or a server that cannot be reached (`status` 0). */
export class Problem extends Error {
  override readonly name = 'Problem'

  constructor(
    readonly status: number,
    readonly body: ProblemBody,
  ) {
    super(body.en ?? body.detail ?? body.title ?? `HTTP ${status}`)
  }

  get unreachable(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504
  }

  get field(): string | undefined {
    return this.body.field
  }

  /** The server's sentence in one language; empty when it gave none. */
  sentence(language: Language): string {
    return this.body[language] ?? this.body.detail ?? this.body.title ?? ''
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  return new Problem(0, { detail: error instanceof Error ? error.message : String(error) })
}
