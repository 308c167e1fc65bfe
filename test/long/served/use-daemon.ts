/** Imported first: the tests that follow run every grite through a daemon of its repository. */
process.env.GRITE_TEST_SERVED = '1'
