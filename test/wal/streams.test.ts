import { streamConformance } from '../conformance/stream.ts'
import { issueTenant, recordTenant, refusingTexts, unitedTexts } from './tenants.ts'

streamConformance(issueTenant)
streamConformance(unitedTexts)
streamConformance(refusingTexts)
streamConformance(recordTenant)
