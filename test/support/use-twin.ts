/** Imported first: the sandboxes of the tests that follow have a daemon. */
process.env.GRITE_TEST_TWIN = 'daemon'
