'use strict';
// The verb `http_get`: a GET of a server in this process; the callback is that of the response, `L.response`.

const { load } = require('./runtime.cjs');
const { End } = require('./streams.cjs');
const { Thing } = require('./things.cjs');

const http = load('http');

const kBodyBytes = 1000;
const kPeriod = 251;

exports.http_get = (run, step, entry) => {
  const body = Buffer.from(Array.from({ length: kBodyBytes }, (_, i) => i % kPeriod));
  const server = http.createServer((request, response) => response.end(body));
  run.add_thing(step.label, new Thing(run, server, 'close'));
  server.listen(0, '127.0.0.1', () => {
    http.get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => {
      server.close();
      run.add_thing(`${step.label}.response`, new End(run, response));
      entry.fire();
    });
  });
};
