'use strict';
// sockets: a byte-stream echo. What the client sends comes back, in order; no framing is promised.

exports.kind = 'stream';
exports.params = ['size']; // the client half's; an echo serves any size

exports.make = () => ({
  on_bytes(connection, bytes) {
    connection.send(bytes);
  },
  on_end(connection) {
    connection.close();
  },
});
