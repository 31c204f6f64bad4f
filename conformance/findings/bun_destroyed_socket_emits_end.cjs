'use strict';
// A socket whose peer has ended is destroyed before it has read that; does it still emit 'end'?
const net = require('node:net');
const process = require('node:process');
const { setTimeout } = require('node:timers');

const seen = [];
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('data', () => seen.push('data'));
  socket.on('end', () => seen.push('end'));
  socket.on('close', () => seen.push('close'));
  client.end('bytes');
  const until = Date.now() + 10;
  while (Date.now() < until);
  socket.destroy();
});
let client;
server.listen(0, '127.0.0.1', () => {
  client = net.connect(server.address().port, '127.0.0.1');
});
setTimeout(() => {
  console.log(seen.join(' '));
  process.exit(0);
}, 100);
