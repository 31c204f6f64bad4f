'use strict';
// Two messages arrive at a port; the callback of each queues a tick. When does the first tick run?
const { MessageChannel } = require('node:worker_threads');
const { setTimeout } = require('node:timers');
const process = require('node:process');

const seen = [];
const { port1, port2 } = new MessageChannel();
port2.on('message', (number) => {
  seen.push(`message${number}`);
  process.nextTick(() => seen.push(`tick${number}`));
});
port1.postMessage(1);
port1.postMessage(2);
setTimeout(() => {
  console.log(seen.join(' '));
  port1.close();
}, 100);
