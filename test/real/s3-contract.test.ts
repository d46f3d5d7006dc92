import {describeS3Contract} from '../contract/s3/suite.js'
import {startVersitygw} from '../support/versitygw.js'

describeS3Contract({
  name: 'versitygw',
  start: startVersitygw,
  deviations: [
    // Its keys are paths of a file system.
    'may have dots and slashes in its name that mean nothing',
    'has ten tags at most',
    // It does not know its own upload-id-marker again: 400 InvalidArgument. With the key marker alone it goes on.
    'are listed by key under a prefix, page by page',
    'of one key are listed all, page by page',
    // 404 XAdminUserNotFound
    'of nobody that is known is refused',
  ],
})
