'use strict';
// Node.js as people run it: one process, one loop, libuv's pool behind it. Deno and Bun run the same program.

const path = require('path');
const { run_subject, print_line, on_stop, runtime_name } = require('../../harness/subject/javascript/subject.cjs');

// ES modules and worker threads without a flag.
const kModesSince = 12;

function serve(plan, fail) {
  const { make_server } = require('../../harness/subject/javascript/servers.cjs');
  const counters = {};
  const server = make_server(plan.workload, plan.params, plan.settings, counters);
  // Bun does not say what it could not listen on.
  server.on('error', (error) => fail(Object.assign(error, { address: plan.address, port: plan.port })));
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
  name: runtime_name(),
  options: {},
  serve,
  modes: Number(process.versions.node.split('.')[0]) < kModesSince ? ['cjs'] : ['cjs', 'esm', 'worker'],
  play: (parsed) => require(path.join(__dirname, '../../conformance/players/javascript/player.cjs')).play(parsed),
});
