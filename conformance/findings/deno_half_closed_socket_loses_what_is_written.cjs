'use strict';
// Both ends allow half-open connections. One writes 300,000 bytes and ends; the other ends at once, and reads on.
// How many bytes arrive?
const net = require('node:net');
const process = require('node:process');
const { setTimeout } = require('node:timers');

const seen = [];
let bytes = 0;
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', (error) => seen.push(`error ${error.code}`));
  socket.end(Buffer.alloc(300000));
  socket.resume();
});
server.listen(0, '127.0.0.1', () => {
  const client = net.connect({ port: server.address().port, host: '127.0.0.1', allowHalfOpen: true }, () => {
    client.on('data', (chunk) => { bytes += chunk.length; });
    client.on('end', () => seen.push(`${bytes} bytes`, 'end'));
    client.end();
  });
});
setTimeout(() => {
  console.log(seen.join(' '));
  process.exit(0);
}, 150);
