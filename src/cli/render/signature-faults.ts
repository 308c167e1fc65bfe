/** Verdicts to show. An unsigned event of an actor without a key is normal. */
export const signatureFaults: Readonly<Record<string, string>> = {
  invalid: 'signature does not verify',
  missing: 'not signed, though this actor signs',
  'unknown-key': 'signed with an unknown key',
}
