import {inProcess, isolated} from '../../support/processor-host.js'
import {processorHostContract} from './processor-host.contract.js'

processorHostContract('in this process', inProcess)
processorHostContract('in forked processes', isolated)
