'use strict';
// The socket verbs. Byte i of one direction of one connection is i % 251, so that a reader can tell
// lost, doubled and swapped bytes without being told what was written.

const { net } = require('./runtime.cjs');
const { Thing } = require('./things.cjs');

const kPeriod = 251;
const kCanceled = ['ECANCELED', 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', 'ERR_STREAM_DESTROYED'];

// One end of a connection, or a stream that is none: how far its two directions have come.
class End extends Thing {
  constructor(run, stream) {
    super(run, stream, 'close', (error) => stream.destroy(error));
    this.stream = stream;
    this.written = 0;
    this.received = 0;
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

exports.End = End;

exports.tcp_pair = (run, step, entry) => {
  const server = net.createServer({ allowHalfOpen: true });
  run.add_thing(step.label, new Thing(run, server, 'close'));
  let up = 0;
  const one_up = () => {
    up += 1;
    if (up === 2) entry.fire();
  };
  server.on('connection', (socket) => {
    server.close();
    run.add_thing(`${step.label}.server`, new End(run, socket));
    one_up();
  });
  server.listen(0, '127.0.0.1', () => {
    const socket = net.connect({ port: server.address().port, host: '127.0.0.1', allowHalfOpen: true });
    run.add_thing(`${step.label}.client`, new End(run, socket));
    socket.on('connect', one_up);
  });
};

// An entry that hears nothing once its end is closed or stopped, nor when it was destroyed while it
// connected: Node does not report that, and the rule's counts will tell.
exports.connect = (run, step, entry) => {
  const port = step.refused ? run.services.refused_port : run.services.peer_port;
  const where = step.by_name ? { port, host: 'localhost', family: 4 } : { port, host: '127.0.0.1' };
  const socket = net.connect(Object.assign(where, { allowHalfOpen: true }));
  entry.handle = socket;
  run.add_thing(step.label, new End(run, socket)).owe_until_end(entry);
  socket.on('connect', () => entry.fire());
  socket.on('error', (error) => {
    if (entry.owed) entry.fire(status_of(error));
  });
};

exports.write = (run, step, entry) => {
  const end = run.thing(step.on);
  end.stream.write(end.next_bytes(step.bytes), (error) => entry.fire(status_of(error)));
};

exports.read = (run, step, entry) => {
  const end = run.thing(step.on);
  end.owe_until_end(entry);
  entry.lasting = true; // until the stream ends: more may come after any chunk
  let eof_entry = null;
  if (step.eof !== undefined) {
    eof_entry = run.add_entry({ verb: 'read', label: step.eof, then: step.eof_then }, entry.site);
    eof_entry.owe(true);
    end.owe_until_end(eof_entry);
  }
  end.stream.on('data', (bytes) => {
    const more = { bytes: bytes.length };
    if (!end.is_expected(bytes)) more.status = 'wrong_bytes';
    entry.fire(more);
  });
  end.stream.on('end', () => {
    entry.owe(false);
    if (eof_entry !== null) eof_entry.fire();
    else run.after_callback();
  });
};

exports.read_stop = (run, step) => {
  const end = run.thing(step.target);
  end.stream.pause();
  end.release();
};

exports.shutdown = (run, step, entry) => {
  run.thing(step.on).stream.end((error) => entry.fire(status_of(error)));
};

exports.close = (run, step, entry) => {
  const end = run.thing(step.on);
  if (end.ended) entry.owe(false); // nothing is left that could report
  end.stream.on('close', () => entry.fire());
  end.stream.destroy();
  end.release();
};
