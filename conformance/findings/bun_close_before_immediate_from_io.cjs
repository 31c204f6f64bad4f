'use strict';
// A callback of node:fs destroys a socket and sets an immediate; which comes first, the socket's close or the
// immediate?
const fs = require('node:fs');
const net = require('node:net');
const process = require('node:process');
const { setImmediate, setTimeout } = require('node:timers');

const seen = [];
const server = net.createServer(() => {});
server.listen(0, '127.0.0.1', () => {
  const client = net.connect(server.address().port, '127.0.0.1', () => {
    client.on('close', () => seen.push('close'));
    fs.stat('/', () => {
      client.destroy();
      setImmediate(() => seen.push('immediate'));
    });
  });
});
setTimeout(() => {
  console.log(seen.join(' '));
  process.exit(0);
}, 100);
