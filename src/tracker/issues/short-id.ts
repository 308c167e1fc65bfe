/** Length of the shortest id shown to people. */
export const shortIdLength = 7
