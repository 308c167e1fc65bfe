import { it } from 'node:test'
import { checkClones } from './clones-model.ts'

it('loses no acknowledged record in random histories of three clones', async () => {
  await checkClones(20)
})
