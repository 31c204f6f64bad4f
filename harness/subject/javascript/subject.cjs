'use strict';
// The life of a subject process: describe, serve or play; the ready and final lines; exit codes
// (0 done, 1 crash, 2 usage, 3 the address cannot be had). Shared by the JavaScript subjects; this
// folder is no subject itself, so it has no subject.yaml. This file and arguments.cjs are what `play` needs of
// it, and must be understood by Node 10; serving asks for Node 16.

const fs = require('fs');
const { UsageError, parse_arguments, whole_number, one_of, with_defaults } = require('./arguments.cjs');

const kServeSince = 16;

const kAddressErrors = ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL'];

// Options both subjects have, with their defaults.
const kCommonOptions = { pool: '4', backlog: '4096', nodelay: 'on' };

function common_settings(options) {
  return {
    pool: whole_number('option pool', options.pool, 1, 1024),
    backlog: whole_number('option backlog', options.backlog, 1, 65535),
    nodelay: one_of('option nodelay', options.nodelay, ['on', 'off']) === 'on',
  };
}

// One line on stdout, now: at exit nothing asynchronous would still be written.
function print_line(value) {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  for (let at = 0; at < bytes.length;) {
    try {
      at += fs.writeSync(1, bytes, at);
    } catch (error) {
      if (error.code === 'EPIPE') return; // nobody reads any more
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

function fail(name, error) {
  if (error instanceof UsageError) {
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(2);
  }
  if (kAddressErrors.includes(error.code)) {
    process.stderr.write(`${name}: cannot listen on ${error.address}:${error.port} (${error.code}); ` +
      'choose another with --address and --port, port 0 takes a free one\n');
    process.exit(3);
  }
  throw error;
}

// Calls `stop` once: when stdin closes, or at SIGTERM or SIGINT.
function on_stop(stop) {
  let stopped = false;
  const once = () => {
    if (!stopped) stop();
    stopped = true;
  };
  process.stdin.on('end', once).on('close', once).on('error', once).resume();
  process.on('SIGTERM', once).on('SIGINT', once);
}

function can_serve() {
  return Number(process.versions.node.split('.')[0]) >= kServeSince;
}

function served_workloads() {
  if (!can_serve()) return [];
  const { workload_names, load_workload } = require('./catalogue.cjs');
  const names = workload_names();
  names.forEach(load_workload); // a broken half fails here, loudly
  return names;
}

// The rules under load: the player serves beside its runs, in the one loop it has.
function features_of(subject) {
  if (!subject.play) return [];
  const modes = subject.modes.map((mode) => `mode_${mode}`);
  return ['play', 'play_programs', ...(can_serve() ? ['play_rules_under_load'] : []), ...modes];
}

// Deno and Bun claim the versions of Node and libuv whose behaviour they promise: they are judged by those.
function describe(subject) {
  const { bun, deno, node, uv, v8, openssl, llhttp } = process.versions;
  print_line({
    name: subject.name,
    versions: { bun, deno, node, uv, v8, openssl, llhttp },
    workloads: served_workloads(),
    features: features_of(subject),
    options: { ...kCommonOptions, ...subject.options },
  });
}

// Everything a serving process needs, checked: {workload, name, params, address, port, options, settings}.
function serve_plan(subject, parsed) {
  if (parsed.workload === undefined) throw new UsageError('serve needs --workload');
  if (!can_serve()) throw new UsageError(`serve needs Node ${kServeSince} or newer, this is ${process.versions.node}`);
  const { load_workload, check_params } = require('./catalogue.cjs');
  const options = with_defaults(parsed.options, { ...kCommonOptions, ...subject.options }, subject.name);
  const workload = load_workload(parsed.workload);
  check_params(parsed.workload, workload, parsed.params);
  const settings = common_settings(options);
  // libuv reads it when its pool first runs, which is later than this.
  process.env.UV_THREADPOOL_SIZE = String(settings.pool);
  return {
    workload,
    params: parsed.params,
    address: parsed.address === undefined ? '127.0.0.1' : parsed.address,
    port: whole_number('--port', parsed.port === undefined ? '0' : parsed.port, 0, 65535),
    options,
    settings,
  };
}

// subject = {name, options: {key: default}, serve(plan, fail), play?(parsed), modes?: [those that play knows]}.
exports.run_subject = (subject) => {
  const on_error = (error) => fail(subject.name, error);
  try {
    const parsed = parse_arguments(process.argv.slice(2));
    if (parsed.verb === 'describe') {
      describe(subject);
    } else if (parsed.verb === 'serve') {
      subject.serve(serve_plan(subject, parsed), on_error);
    } else if (subject.play) {
      with_defaults(parsed.options, { ...kCommonOptions, ...subject.options }, subject.name);
      subject.play(parsed);
    } else {
      throw new UsageError('play is unsupported here: the loop of each worker is that of subject node');
    }
  } catch (error) {
    on_error(error);
  }
};

// What this program is called on the runtime that runs it.
exports.runtime_name = () => ['bun', 'deno'].find((name) => process.versions[name] !== undefined) || 'node';
exports.print_line = print_line;
exports.on_stop = on_stop;
exports.UsageError = UsageError;
