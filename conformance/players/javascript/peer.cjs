'use strict';
// The peer of the `connect` verb, on a worker thread of its own: it reads, discards and closes at the
// end of the stream, and no callback of it runs on the loop under test.

const { net, workers } = require('./runtime.cjs');

const kReady = 0;
const kPeerPort = 1;
const kRefusedPort = 2;

function listen(then) {
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.resume();
  });
  server.listen(0, '127.0.0.1', () => then(server.address().port, server));
}

// Starts the peer, and waits for it: {peer_port, refused_port}. Nobody listens on the latter, and nobody is given
// it: a connection to the peer has it as its own. One that was only bound and given back can be another player's
// a moment later.
exports.start_peer = () => {
  const shared = new Int32Array(new SharedArrayBuffer(12));
  const worker = new workers.Worker(__filename, { workerData: { peer_ports: shared } });
  worker.unref();
  Atomics.wait(shared, kReady, 0);
  return { peer_port: shared[kPeerPort], refused_port: shared[kRefusedPort] };
};

// A port that is free now is taken for the near end of a connection, unless another was quicker.
function hold_a_port(peer_port, then) {
  listen((port, closing) => closing.close(() => {
    const held = net.connect({ host: '127.0.0.1', port: peer_port, localAddress: '127.0.0.1', localPort: port });
    held.once('connect', () => then(port));
    held.once('error', () => hold_a_port(peer_port, then));
  }));
}

if (workers !== null && workers.workerData && workers.workerData.peer_ports) {
  const ports = workers.workerData.peer_ports;
  listen((peer_port) => hold_a_port(peer_port, (refused_port) => {
    ports[kPeerPort] = peer_port;
    ports[kRefusedPort] = refused_port;
    Atomics.store(ports, kReady, 1);
    Atomics.notify(ports, kReady);
  }));
}
