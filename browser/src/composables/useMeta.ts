import { ref, shallowRef } from 'vue'

import { api, asProblem, type Meta, type Problem } from '@/api'

const meta = shallowRef<Meta>()
const problem = shallowRef<Problem>()
const asked = ref(false)

async function reload(): Promise<void> {
  asked.value = true
  try {
    meta.value = await api.meta()
    problem.value = undefined
  } catch (error) {
    problem.value = asProblem(error)
  }
}

/** City, plan and today, asked once for all pages. */
export function useMeta() {
  if (!asked.value) void reload()
  return { meta, problem, reload }
}
