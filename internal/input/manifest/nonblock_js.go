package manifest

// nonblock is nothing: a browser has no named pipes.
const nonblock = 0
