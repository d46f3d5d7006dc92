/** Which topic, and how the brokers are reached. */
import {choice, duration, list, pairs, pem, secret, text, toggle} from '../setting.js'

export const topicSettings = {
  topic: text({
    group: 'KAFKA',
    placeholder: 'TOPIC',
    summary: 'Kafka topic',
    required: true,
    example: 'instrument-files',
    common: true,
  }),
}

export const kafkaSettings = {
  brokers: list({
    group: 'KAFKA',
    placeholder: 'HOST:PORT',
    summary: 'Kafka brokers to begin with, one or several',
    required: true,
    example: 'kafka-1:9092,kafka-2:9092',
    common: true,
  }),
  clientId: text({
    group: 'KAFKA',
    placeholder: 'ID',
    summary: 'Name that the brokers log for this client',
    default: 'streamtool',
    common: true,
  }),
  outageTolerance: duration({
    group: 'KAFKA',
    summary: 'How long an outage of the brokers is waited out',
    default: '5m',
    common: true,
  }),
  clientOption: pairs({
    group: 'KAFKA',
    char: 'X',
    summary: 'Setting under the name that librdkafka or the Java client has for it',
    common: true,
  }),
}

export const securitySettings = {
  tls: toggle({
    group: 'SECURITY',
    summary: 'Speak TLS to the brokers; implied by the other --tls flags',
    common: true,
  }),
  tlsCa: pem({
    group: 'SECURITY',
    summary: "Certificate authorities to trust, PEM (else Node's own)",
    common: true,
  }),
  tlsCert: pem({group: 'SECURITY', summary: 'Client certificate, PEM', common: true}),
  tlsKey: pem({group: 'SECURITY', summary: 'Key of the client certificate, PEM', common: true}),
  tlsKeyPassword: secret({group: 'SECURITY', summary: 'Password of the key', common: true}),
  tlsVerify: choice(['full', 'ca', 'none'], {
    group: 'SECURITY',
    summary: "Check the broker's certificate and host name, the certificate only, or nothing",
    default: 'full',
    common: true,
  }),
  saslMechanism: choice(['plain', 'scram-sha-256', 'scram-sha-512'], {
    group: 'SECURITY',
    placeholder: 'MECHANISM',
    summary: 'plain, scram-sha-256 or scram-sha-512; plain when only a user name is given',
    common: true,
  }),
  saslUsername: text({group: 'SECURITY', placeholder: 'NAME', summary: 'User name', common: true}),
  saslPassword: secret({
    group: 'SECURITY',
    summary: 'Password; STREAMTOOL_SASL_PASSWORD keeps it out of the process list',
    common: true,
  }),
}
