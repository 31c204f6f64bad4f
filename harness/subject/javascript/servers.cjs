'use strict';
// Node's native servers, carrying a workload's service half. Their settings are those a careful Node
// user would choose; what they deliberately switch off is said beside it.

const http = require('node:http');
const net = require('node:net');
const { offload, run_inline } = require('./work.cjs');
const { split_target } = require('./query.cjs');

// One accepted connection of a stream workload.
class Connection {
  constructor(socket) {
    this.socket_ = socket;
  }

  // Sends in order. What the peer does not take is buffered by the socket, and no more is read from
  // it until that has drained: a peer that never reads cannot fill our memory.
  send(bytes) {
    if (!this.socket_.write(bytes)) this.socket_.pause();
  }

  close() {
    this.socket_.end();
  }

  offload(work, then) {
    offload(work, then);
  }
}

// A stream server around `service`; counts into `counters`.
function stream_server(service, settings, counters) {
  counters.connections = 0;
  counters.bytes = 0;
  const options = { noDelay: settings.nodelay, allowHalfOpen: true };
  return net.createServer(options, (socket) => {
    const connection = new Connection(socket);
    counters.connections += 1;
    socket.on('data', (bytes) => {
      counters.bytes += bytes.length;
      service.on_bytes(connection, bytes);
    });
    socket.on('end', () => service.on_end(connection));
    socket.on('drain', () => socket.resume());
    socket.on('error', () => socket.destroy()); // the peer is gone; it knows
  });
}

// One HTTP exchange.
class Exchange {
  constructor(response) {
    this.response_ = response;
  }

  // `body` is a string or a Buffer.
  reply(status, body) {
    const response = this.response_;
    const persistent = response.shouldKeepAlive && response.req.httpVersionMinor === 1;
    response.sendDate = false;
    if (persistent) response.removeHeader('Connection'); // the default of HTTP/1.1 needs no saying
    response.writeHead(status, { 'Content-Length': Buffer.byteLength(body) });
    // Node 18 takes the missing header for a wish to close; newer versions do not.
    if (persistent && response._last) response._last = false;
    response.end(body);
  }

  offload(work, then) {
    offload(work, (outcome) => then(this, outcome));
  }

  inline_work(work, then) {
    then(this, run_inline(work));
  }
}

function with_body(incoming, then) {
  const pieces = [];
  incoming.on('data', (piece) => pieces.push(piece));
  incoming.on('end', () => then(Buffer.concat(pieces)));
}

const kNoBody = Buffer.alloc(0);

function has_body(incoming) {
  const { headers } = incoming;
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

// An HTTP server around `service`; counts into `counters`.
function http_server(service, settings, counters) {
  counters.connections = 0;
  counters.requests = 0;
  const options = {
    noDelay: settings.nodelay,
    keepAliveTimeout: 0, // a connection lives until its client closes it
    headersTimeout: 0,
    requestTimeout: 0,
  };
  const server = http.createServer(options, (incoming, response) => {
    counters.requests += 1;
    const { path, query } = split_target(incoming.url);
    const exchange = new Exchange(response);
    const request = { method: incoming.method, path, query, body: kNoBody };
    if (!has_body(incoming)) {
      service.on_request(request, exchange);
    } else {
      with_body(incoming, (body) => {
        request.body = body;
        service.on_request(request, exchange);
      });
    }
  });
  server.on('connection', () => {
    counters.connections += 1;
  });
  server.httpAllowHalfOpen = true; // a peer that half-closes still gets what it is owed
  return server;
}

// The server for a loaded workload (see catalogue.cjs). settings = {nodelay: boolean}.
exports.make_server = (workload, params, settings, counters) => {
  const service = workload.make(params);
  const make = workload.kind === 'stream' ? stream_server : http_server;
  return make(service, settings, counters);
};
