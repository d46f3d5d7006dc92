/**
 * Which store it is, known before the first request: AWS, or one that somebody named. The order is that of the AWS
 * SDKs (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html):
 *
 *     --endpoint-url  >  AWS_ENDPOINT_URL_S3  >  AWS_ENDPOINT_URL  >  the profile's services section  >  the profile
 *
 * and what is configured, not given, counts for nothing where AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or the profile's
 * ignore_configured_endpoint_urls says so. The SDK would look only with its first request, and never into a profile
 * that was named to its client.
 */
import {StreamtoolError} from '../../core/errors.js'
import {CONFIG_PREFIX_SEPARATOR, getProfileName, loadSharedConfigFiles} from './sdk.js'

type Section = Readonly<Record<string, string | undefined>>

/** @returns undefined when it is AWS. @throws SETTING_INVALID */
export async function endpointFor(
  given: string | undefined,
  profile: string | undefined,
): Promise<string | undefined> {
  if (given !== undefined) return checked(given, '--endpoint-url')
  const {env} = process
  const name = getProfileName(profile === undefined ? {} : {profile})
  const {configFile, credentialsFile} = await loadSharedConfigFiles()
  const section: Section = {...credentialsFile[name], ...configFile[name]}
  const ignores = env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] ?? section['ignore_configured_endpoint_urls']
  if (ignores?.toLowerCase() === 'true') return undefined
  const variable = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'].find((each) => isThere(env[each]))
  if (variable !== undefined) return checked(env[variable] ?? '', variable)
  const url = [ofServices(section, name, configFile), section['endpoint_url']].find(isThere)
  return url === undefined ? undefined : checked(url, `endpoint_url of the profile ${name}`)
}

/** `services = lab` in the profile names `[services lab]`, in which a line `s3 =` has settings below it. */
function ofServices(
  {services}: Section,
  profile: string,
  config: Readonly<Record<string, Section>>,
): string | undefined {
  if (services === undefined) return undefined
  const section = config[`services${CONFIG_PREFIX_SEPARATOR}${services}`]
  if (section !== undefined) return section[`s3${CONFIG_PREFIX_SEPARATOR}endpoint_url`]
  // To go to AWS instead would be to send files where nobody wanted them.
  throw new StreamtoolError(
    'SETTING_INVALID',
    `The profile ${profile} names services that the AWS configuration has not: [services ${services}].`,
    {suggestions: ['Check ~/.aws/config, or give --endpoint-url.']},
  )
}

function checked(url: string, what: string): string {
  const {protocol} = URL.canParse(url) ? new URL(url) : {protocol: ''}
  if (protocol === 'http:' || protocol === 'https:') return url
  throw new StreamtoolError('SETTING_INVALID', `${what} is not a URL that begins with http or https.`)
}

const isThere = (text: string | undefined): text is string => text !== undefined && text !== ''
