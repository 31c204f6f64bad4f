'use strict';
// Four datagrams are sent on one socket, one after the other; in which order do their callbacks come?
const dgram = require('node:dgram');
const { setTimeout } = require('node:timers');

const seen = [];
const receiver = dgram.createSocket('udp4');
receiver.bind(0, '127.0.0.1', () => {
  const sender = dgram.createSocket('udp4');
  for (let i = 0; i < 4; i += 1) {
    sender.send(`datagram ${i}`, receiver.address().port, '127.0.0.1', () => seen.push(`sent${i}`));
  }
  setTimeout(() => {
    console.log(seen.join(' '));
    sender.close();
    receiver.close();
  }, 100);
});
