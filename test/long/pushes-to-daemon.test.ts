import { pushFacts } from '../sync/push-facts.ts'

pushFacts('git daemon')
