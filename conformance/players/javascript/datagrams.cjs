'use strict';
// The verbs about UDP: a socket bound to a free loopback port, and a datagram to itself.

const { load } = require('./runtime.cjs');
const { Thing } = require('./things.cjs');

const dgram = load('dgram');

exports.datagram = (run, step) => {
  const socket = dgram.createSocket('udp4');
  const thing = new Thing(run, socket, 'close', () => socket.close());
  thing.socket = socket;
  run.add_thing(step.label, thing);
  socket.bind(0, '127.0.0.1');
};

exports.datagram_send = (run, step, entry) => {
  const { socket } = run.thing(step.on);
  socket.send(Buffer.from([0]), socket.address().port, '127.0.0.1',
    (error) => entry.fire(error ? { status: 'error' } : {}));
};
