/** The input and the output of a run, and the wish to pause, resume, stop or start them. */
import type {InputStatus, OutputStatus, RunControl} from '../../core/ports/index.js'
import {type Answer, badRequest, failure, isJsonType, json, type Request, unlessAllowed} from './answer.js'

/** @param name null: all */
export async function answerBindings(
  request: Request,
  name: string | null,
  control: RunControl,
  isReadOnly: boolean,
): Promise<Answer> {
  const allowed = name === null || isReadOnly ? ['GET'] : ['POST', 'GET']
  const refused = unlessAllowed(request, allowed)
  if (refused !== null) return refused
  if (request.method !== 'POST' || name === null) {
    const {inputs, outputs} = control.status()
    const all = [...inputs.map(inputBinding), ...outputs.map(outputBinding)]
    return json(request, name === null ? all : all.filter(({bindingName}) => bindingName === name))
  }
  const body = await request.body()
  const contentType = request.headers['content-type']
  if (contentType === undefined ? body !== '' : !isJsonType(contentType)) return failure(request, 415)
  const change = changeIn(body)
  if (change === null) return badRequest(request)
  await control[change](name)
  return {status: 204}
}

const CHANGES = {PAUSED: 'pause', RESUMED: 'resume', STOPPED: 'stop', STARTED: 'start'} as const

function changeIn(body: string): (typeof CHANGES)[keyof typeof CHANGES] | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return null
  }
  const state = (parsed as {readonly state?: unknown} | null)?.state
  if (typeof state !== 'string') return null
  const wanted = Object.entries(CHANGES).find(([name]) => name === state.toUpperCase())
  return wanted?.[1] ?? null
}

const KAFKA = {binderType: 'kafka', binderName: 'kafka'}

function inputBinding({binding, topic, group, state}: InputStatus) {
  return {
    bindingName: binding,
    name: topic,
    group,
    pausable: true,
    state,
    paused: state === 'paused',
    extension: {autoRebalanceEnabled: true},
    ...KAFKA,
    input: true,
    extendedInfo: {bindingDestination: topic},
  }
}

function outputBinding({binding, name, state}: OutputStatus) {
  return {
    bindingName: binding,
    name,
    group: null,
    pausable: false,
    state,
    paused: false,
    extension: {},
    ...KAFKA,
    input: false,
    extendedInfo: {bindingDestination: name},
  }
}
