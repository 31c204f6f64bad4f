'use strict';
// Node.js as people run it: one process, one loop, libuv's pool behind it.

const path = require('node:path');
const { run_subject, print_line, on_stop } = require('../../harness/subject/javascript/subject.cjs');
const { make_server } = require('../../harness/subject/javascript/servers.cjs');

function serve(plan, fail) {
  const counters = {};
  const server = make_server(plan.workload, plan.params, plan.settings, counters);
  server.on('error', fail);
  server.listen({ host: plan.address, port: plan.port, backlog: plan.settings.backlog }, () => {
    const { address, port } = server.address();
    print_line({ ready: { address, port, pid: process.pid, workers: 1 } });
    on_stop(() => {
      print_line({ final: counters });
      process.exit(0);
    });
  });
}

run_subject({
  name: 'node',
  options: {},
  serve,
  play: (parsed) => require(path.join(__dirname, '../../conformance/players/javascript/player.cjs')).play(parsed),
});
