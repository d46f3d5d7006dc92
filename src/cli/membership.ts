/** How a process takes part in a consumer group: under which instance id, and from where when it is to begin anew. */
import type {GroupConsumer, TopicAdmin} from '../core/ports/index.js'
import type {KafkaClient} from './compose.js'
import type {groupSettings} from './settings/groups/consumer-group.js'
import type {Values} from './settings/setting.js'

export type MembershipValues = Pick<
  Values<typeof groupSettings>,
  'instanceId' | 'sessionTimeout' | 'stateDir'
> &
  Partial<Pick<Values<typeof groupSettings>, 'assignment'>>

export interface MembershipOptions {
  readonly groupId: string
  readonly topics: readonly string[]
  /** Of what is fetched and not looked at yet. */
  readonly fetchBytes: number
}

/** Holds the instance id as long as it runs, so that no other process of this host takes it for free. */
export async function asMember<Result>(
  kafka: KafkaClient,
  {groupId, topics, fetchBytes}: MembershipOptions,
  {instanceId, sessionTimeout, stateDir, assignment}: MembershipValues,
  run: (consumer: GroupConsumer) => Promise<Result>,
): Promise<Result> {
  const {holdInstanceId} = await import('./compose.js')
  const held = await holdInstanceId({groupId, explicit: instanceId, stateDir})
  try {
    return await run(
      kafka.groupConsumer({
        topics,
        groupId,
        instanceId: held.instanceId,
        // A name that was given will come back, and then nobody need regroup.
        leaveOnStop: instanceId === undefined,
        ...(assignment === undefined ? {} : {assignment}),
        sessionTimeoutMs: sessionTimeout,
        fetchBytes,
      }),
    )
  } finally {
    await held.release()
  }
}

/** @throws GROUP_BUSY */
export async function setBack(admin: TopicAdmin, group: string, topics: readonly string[]): Promise<void> {
  const ranges = await Promise.all(topics.map((topic) => admin.partitionRanges(topic)))
  await admin.resetOffsets(
    group,
    ranges.flat().map(({topic, partition, start}) => ({topic, partition, offset: start, metadata: ''})),
  )
}
