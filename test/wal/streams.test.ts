import { streamConformance } from '../conformance/stream.ts'
import { issueTenant, refusingTexts, unitedTexts } from './tenants.ts'

streamConformance(issueTenant)
streamConformance(unitedTexts)
streamConformance(refusingTexts)
