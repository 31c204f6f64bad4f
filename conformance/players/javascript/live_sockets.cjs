'use strict';
// The workload sockets, served in the very loop that plays (`play --serve sockets`): the rules under load.

const { load_workload } = require('../../../harness/subject/javascript/catalogue.cjs');
const { make_server } = require('../../../harness/subject/javascript/servers.cjs');
const { print_line } = require('../../../harness/subject/javascript/subject.cjs');
const { process, timers } = require('./runtime.cjs');

const kBacklog = 4096;

// Serves until the process ends; `then` is called once so many connections are open.
exports.serve_beside = (workload, connections, then) => {
  const server = make_server(load_workload(workload), {}, { nodelay: true }, {});
  let open = 0;
  server.on('connection', () => {
    open += 1;
    if (open === connections) timers.setImmediate(then);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: kBacklog }, () => {
    const { address, port } = server.address();
    print_line({ ready: { address, port, pid: process.pid, workers: 1 } });
  });
};
