'use strict';
// Node's cluster: N processes of the `node` subject behind one port. How the port is shared:
//   handoff    the parent accepts and hands sockets to the workers in turn (Node's default)
//   shared     the workers accept from one listening socket, inherited from the parent
//   reuseport  each worker has a listening socket of its own (SO_REUSEPORT; Node 23.1 or newer)

const cluster = require('node:cluster');
const net = require('node:net');
const { run_subject, print_line, on_stop, UsageError } =
  require('../../harness/subject/javascript/subject.cjs');
const { whole_number, one_of } = require('../../harness/subject/javascript/arguments.cjs');
const { available_parallelism } = require('../../harness/subject/javascript/crunch_pool.cjs');
const { make_server } = require('../../harness/subject/javascript/servers.cjs');

// Workers have this long for their last words, well within the 2 s a subject has.
const kLastWordsMs = 1000;

// The environment variable by which a worker learns its port.
const kPortVariable = 'TICKMARK_NODE_CLUSTER_PORT';

function node_has_reuse_port() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 23 || (major === 23 && minor >= 1);
}

function checked_sharing(share) {
  one_of('option share', share, ['handoff', 'shared', 'reuseport']);
  if (share === 'reuseport' && !node_has_reuse_port()) {
    throw new UsageError(`option share=reuseport needs Node 23.1 or newer, this is ${process.versions.node}; ` +
      'take share=handoff or share=shared');
  }
  return share;
}

// The sum of the workers' counters, key by key.
function sum_of(counters) {
  const sum = {};
  for (const one of counters) {
    for (const [key, value] of Object.entries(one)) sum[key] = (sum[key] ?? 0) + value;
  }
  return sum;
}

// Asks every worker for its counters, then ends it; `then(counters)` when all have answered, or when
// the time for it is up: a worker that computes for long does not hold up the end.
function end_workers(workers, then) {
  const heard = [];
  let open = workers.length;
  const finish = () => {
    clearTimeout(deadline);
    for (const worker of workers) worker.process.kill('SIGKILL');
    then(heard);
  };
  const deadline = setTimeout(finish, kLastWordsMs);
  for (const worker of workers) {
    worker.on('message', ({ final }) => {
      if (final === undefined) return;
      heard.push(final);
      open -= 1;
      if (open === 0) finish();
    });
    worker.send('stop', () => {}); // a worker that is gone is found by the deadline
  }
}

// Finds the port the workers will bind, and holds it until they have: `then(port, release)`.
// Only workers with listening sockets of their own need that; the others get the parent's.
function hold_port(plan, fail, then) {
  if (plan.options.share !== 'reuseport') return then(plan.port, () => {});
  const holder = net.createServer().on('error', fail);
  return holder.listen({ host: plan.address, port: plan.port, reusePort: true }, () =>
    then(holder.address().port, () => holder.close()));
}

function serve_parent(plan, fail) {
  const share = checked_sharing(plan.options.share);
  const count = whole_number('option workers', plan.options.workers, 1, 1024);
  cluster.schedulingPolicy = share === 'handoff' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  cluster.setupPrimary({ stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  hold_port(plan, fail, (port, release) => {
    const workers = Array.from({ length: count }, () => cluster.fork({ [kPortVariable]: port }));
    watch_workers(workers, fail, (bound) => {
      release();
      print_line({ ready: { ...bound, pid: process.pid, workers: count } });
    });
  });
}

// Calls `ready({address, port})` when all listen; ends the subject when one is lost, or at its stop.
function watch_workers(workers, fail, ready) {
  let listening = 0;
  let stopping = false;
  const kill_all = () => workers.forEach((worker) => worker.process.kill('SIGKILL'));
  cluster.on('message', (worker, { error, bound }) => {
    if (error !== undefined) {
      kill_all(); // or each would complain of its lost parent
      fail(error);
    }
    if (bound === undefined) return;
    listening += 1;
    if (listening === workers.length) ready(bound);
  });
  cluster.on('exit', (worker, code, signal) => {
    if (stopping) return;
    kill_all();
    process.stderr.write(`node_cluster: worker ${worker.process.pid} ended (${signal ?? `exit ${code}`})\n`);
    process.exit(1);
  });
  on_stop(() => {
    stopping = true;
    end_workers(workers, (heard) => {
      print_line({ final: { ...sum_of(heard), workers_heard: heard.length } });
      process.exit(0);
    });
  });
}

function serve_worker(plan) {
  const counters = {};
  const server = make_server(plan.workload, plan.params, plan.settings, counters);
  server.on('error', ({ code, address, port }) => process.send({ error: { code, address, port } }));
  const where = {
    host: plan.address,
    port: Number(process.env[kPortVariable]),
    backlog: plan.settings.backlog,
  };
  if (plan.options.share === 'reuseport') where.reusePort = true;
  server.listen(where, () => {
    const { address, port } = server.address();
    process.send({ bound: { address, port } });
  });
  process.on('message', (message) => {
    if (message === 'stop') process.send({ final: counters }, () => process.exit(0));
  });
  process.on('SIGTERM', () => {}).on('SIGINT', () => {}); // the parent hears them and says when
}

run_subject({
  name: 'node_cluster',
  options: { workers: String(available_parallelism()), share: 'handoff' },
  serve: (plan, fail) => (cluster.isPrimary ? serve_parent(plan, fail) : serve_worker(plan)),
});
