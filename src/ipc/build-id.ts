/** Names the build, so that a client and a daemon of two builds do not mix. The build puts it here; tests have this text. */
export const buildId = '@grite-build-id@'
