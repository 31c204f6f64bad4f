'use strict';
// The socket verbs. Byte i of one direction of one connection is i % 251, so that a reader can tell
// lost, doubled and swapped bytes without being told what was written.

const net = require('node:net');

const kPeriod = 251;
const kCanceled = ['ECANCELED', 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'ERR_STREAM_DESTROYED'];

// One end of a connection: its socket and how far its two directions have come.
class End {
  constructor(run, socket) {
    this.socket = socket;
    this.written = 0;
    this.received = 0;
    this.owed_until_close = []; // entries that will hear nothing once the socket is closed
    socket.on('error', () => {}); // errors are told to the callbacks they concern
    socket.on('close', () => {
      this.release();
      run.after_callback();
    });
  }

  // Nothing more is owed to readers of a socket that is closed or stopped, nor to one that was
  // destroyed while it connected: Node does not report that, and the rule's counts will tell.
  release() {
    this.owed_until_close.forEach((entry) => entry.owe(false));
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

exports.tcp_pair = (run, step, entry) => {
  const server = net.createServer({ allowHalfOpen: true });
  let up = 0;
  const one_up = () => {
    up += 1;
    if (up === 2) entry.fire();
  };
  server.on('connection', (socket) => {
    server.close();
    run.add_end(`${step.label}.server`, new End(run, socket));
    one_up();
  });
  server.listen(0, '127.0.0.1', () => {
    const socket = net.connect({ port: server.address().port, host: '127.0.0.1', allowHalfOpen: true });
    run.add_end(`${step.label}.client`, new End(run, socket));
    socket.on('connect', one_up);
  });
};

exports.connect = (run, step, entry) => {
  const port = step.refused ? run.services.refused_port : run.services.peer_port;
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  entry.handle = socket;
  const end = new End(run, socket);
  end.owed_until_close.push(entry);
  run.add_end(step.label, end);
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
  end.owed_until_close.push(entry);
  entry.lasting = true; // until the stream ends: more may come after any chunk
  let eof_entry = null;
  if (step.eof !== undefined) {
    eof_entry = run.add_entry({ verb: 'read', label: step.eof, then: step.eof_then }, entry.site);
    eof_entry.owe(true);
    end.owed_until_close.push(eof_entry);
  }
  if (end.socket.closed) end.release();
  end.socket.on('data', (bytes) => {
    const more = { bytes: bytes.length };
    if (!end.is_expected(bytes)) more.status = 'wrong_bytes';
    entry.fire(more);
  });
  end.socket.on('end', () => {
    entry.owe(false);
    if (eof_entry !== null) eof_entry.fire();
    else run.after_callback();
  });
};

exports.read_stop = (run, step) => {
  const end = run.end(step.target);
  end.socket.pause();
  end.release();
};

exports.shutdown = (run, step, entry) => {
  run.end(step.on).socket.end((error) => entry.fire(status_of(error)));
};

exports.close = (run, step, entry) => {
  const end = run.end(step.on);
  if (end.socket.closed) entry.owe(false); // nothing is left that could report
  end.socket.on('close', () => entry.fire());
  end.socket.destroy();
  end.release();
};

// Closes what a finished run has left open; true if there was anything.
exports.clean_up = (run) => {
  const open = [...run.ends()].filter(({ socket }) => !socket.destroyed);
  open.forEach(({ socket }) => socket.destroy());
  return open.length > 0;
};
