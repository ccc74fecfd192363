package control

// socketsWork is false: older Windows has no Unix sockets.
const socketsWork = false
