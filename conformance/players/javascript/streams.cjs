'use strict';
// The socket verbs. Byte i of one direction of one connection is i % 251, so that a reader can tell
// lost, doubled and swapped bytes without being told what was written.

const net = require('node:net');

const kPeriod = 251;
const kCanceled = ['ECANCELED', 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'ERR_STREAM_DESTROYED'];

// One end of a connection: its socket and how far its two directions have come.
class End {
  constructor(socket) {
    this.socket = socket;
    this.written = 0;
    this.received = 0;
    this.reader = null; // the entry whose callbacks come from this end
    this.eof_reader = null;
    socket.on('error', () => {}); // errors are told to the callbacks they concern
  }

  next_bytes(count) {
    const bytes = Buffer.allocUnsafe(count);
    for (let i = 0; i < count; i += 1) bytes[i] = (this.written + i) % kPeriod;
    this.written += count;
    return bytes;
  }

  is_expected(bytes) {
    const right = bytes.every((byte, i) => byte === (this.received + i) % kPeriod);
    this.received += bytes.length;
    return right;
  }
}

function status_of(error) {
  if (!error) return undefined;
  if (error.code === 'ECONNREFUSED') return { status: 'refused' };
  return { status: kCanceled.includes(error.code) ? 'canceled' : 'error' };
}

// Nothing more is owed by a reader that has been closed or stopped.
function release_reader(end) {
  end.reader?.owe(false);
  end.eof_reader?.owe(false);
}

exports.tcp_pair = (run, step, entry) => {
  const server = net.createServer({ allowHalfOpen: true });
  let up = 0;
  const one_up = () => {
    up += 1;
    if (up === 2) entry.fire();
  };
  server.on('connection', (socket) => {
    server.close();
    run.add_end(`${step.label}.server`, new End(socket));
    one_up();
  });
  server.listen(0, '127.0.0.1', () => {
    const socket = net.connect({ port: server.address().port, host: '127.0.0.1', allowHalfOpen: true });
    run.add_end(`${step.label}.client`, new End(socket));
    socket.on('connect', one_up);
  });
};

exports.connect = (run, step, entry) => {
  const port = step.refused ? run.services.refused_port : run.services.peer_port;
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  entry.handle = socket;
  run.add_end(step.label, new End(socket));
  socket.on('connect', () => entry.fire());
  socket.on('error', (error) => {
    if (entry.owed) entry.fire(status_of(error));
  });
};

exports.write = (run, step, entry) => {
  const end = run.end(step.on);
  end.socket.write(end.next_bytes(step.bytes), (error) => entry.fire(status_of(error)));
};

exports.read = (run, step, entry) => {
  const end = run.end(step.on);
  end.reader = entry;
  entry.lasting = true; // until the stream ends: more may come after any chunk
  if (step.eof !== undefined) {
    end.eof_reader = run.add_entry({ verb: 'read', label: step.eof, then: step.eof_then }, entry.site);
    end.eof_reader.owe(true);
  }
  end.socket.on('data', (bytes) => {
    const more = { bytes: bytes.length };
    if (!end.is_expected(bytes)) more.status = 'wrong_bytes';
    entry.fire(more);
  });
  end.socket.on('end', () => {
    entry.owe(false);
    if (end.eof_reader !== null) end.eof_reader.fire();
    else run.after_callback();
  });
};

exports.read_stop = (run, step) => {
  const end = run.end(step.target);
  end.socket.pause();
  release_reader(end);
};

exports.shutdown = (run, step, entry) => {
  run.end(step.on).socket.end((error) => entry.fire(status_of(error)));
};

exports.close = (run, step, entry) => {
  const end = run.end(step.on);
  end.socket.on('close', () => entry.fire());
  end.socket.destroy();
  release_reader(end);
};

// Closes what a finished run has left open; true if there was anything.
exports.clean_up = (run) => {
  const open = [...run.ends()].filter(({ socket }) => !socket.destroyed);
  open.forEach(({ socket }) => socket.destroy());
  return open.length > 0;
};
