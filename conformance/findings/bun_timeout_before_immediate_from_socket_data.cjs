'use strict';
// In the data callback of a socket an immediate and a timeout are set, and the timeout's time is up before the
// callback returns; which comes first?
const net = require('node:net');
const process = require('node:process');
const { setImmediate, setTimeout } = require('node:timers');

const seen = [];
const server = net.createServer((socket) => socket.write('x'));
server.listen(0, '127.0.0.1', () => {
  net.connect(server.address().port, '127.0.0.1').once('data', () => {
    setImmediate(() => seen.push('immediate'));
    setTimeout(() => seen.push('timeout'), 1);
    const begin = Date.now();
    while (Date.now() < begin + 5);
  });
});
setTimeout(() => {
  console.log(seen.join(' '));
  process.exit(0);
}, 100);
