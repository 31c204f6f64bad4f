'use strict';
// Plays files of random programs (docs/programs.md) in one process, many at a time: while one waits for its
// timeouts, others run. Each begins where a main script does, in a callback of the closing phase, after which
// timers come first, then poll, then check. Runs on Node 10, so it is written in its language.

const { load } = require('./program_modules.cjs');
const { ProgramRun, watch_errors } = require('./program_run.cjs');

const fs = load('fs');
const timers = load('timers');
const process = load('process');

// Turns of the loop after the last callback that is owed, in which one that must not come would show.
const kFurtherChecks = 2;

const kSchema = 'tickmark.programs/1';

function refuse(sentence) {
  process.stderr.write(`node player: ${sentence}\n`);
  process.exit(2);
}

// A program begins in the phase this calls back in.
function beginning() {
  const versions = process.versions;
  const is_node = versions.bun === undefined && versions.deno === undefined;
  try {
    if (is_node) {
      const { MessageChannel } = load('worker_threads');
      return {
        name: 'closing',
        // The other end closes last: behind its callback there is none of the player's to come, which would drain
        // what an error has left.
        at_begin: (begin) => {
          const { port1, port2 } = new MessageChannel();
          port2.on('close', begin);
          port2.ref();
          port1.close();
        },
      };
    }
  } catch (error) {
    // Node 10: behind a flag.
  }
  return { name: 'check', at_begin: (begin) => { timers.setImmediate(begin); } };
}

// One program after the other. Lanes share the process; their programs differ in all durations.
class Lane {
  constructor(player, programs) {
    this.player_ = player;
    this.left_ = programs;
    this.next_ = 0;
    this.run_ = null;
    this.deadline_ = null;
  }

  go_on() {
    if (this.next_ === this.left_.length) {
      this.player_.lane_is_done();
      return;
    }
    const program = this.left_[this.next_];
    this.next_ += 1;
    this.player_.at_begin(() => {
      this.run_ = new ProgramRun(program, (run) => this.settle_(run, kFurtherChecks));
      // One that owes something for too long is over as it is. A callback of the player's own while a program runs
      // would drain the ticks that an error has left behind: no interval looks after them, and this is cleared.
      this.deadline_ = timers.setTimeout(() => this.finish_(), this.player_.deadline_ms);
      this.run_.begin();
    });
  }

  settle_(run, left) {
    if (run !== this.run_ || !run.is_idle()) return; // something came after all, and settles again
    if (left > 0) timers.setImmediate(() => this.settle_(run, left - 1));
    else this.finish_();
  }

  finish_() {
    const run = this.run_;
    this.run_ = null;
    timers.clearTimeout(this.deadline_);
    run.finish();
    this.player_.write(run);
    this.go_on();
  }
}

class Player {
  constructor(document, trace) {
    this.fd_ = fs.openSync(trace, 'w');
    this.lines_ = [];
    this.deadline_ms = document.deadline_ms;
    const { name, at_begin } = beginning();
    this.at_begin = at_begin;
    this.lines_.push(JSON.stringify({ event: 'runs', schema: 'tickmark.runs/1', player: 'node', begins: name }));
    this.flush_();
    const throws = (program) => JSON.stringify(program).includes('"throw"');
    const shared = Array.from({ length: document.slots }, () => []);
    const alone = []; // an error of one would cut short the drain of another
    document.programs.forEach((program, i) => (throws(program) ? alone : shared[i % document.slots]).push(program));
    this.rounds_ = [shared.map((programs) => new Lane(this, programs)), [new Lane(this, alone)]];
    this.next_round_();
  }

  next_round_() {
    if (this.rounds_.length === 0) {
      this.flush_();
      process.exit(0);
    }
    const lanes = this.rounds_.shift();
    this.busy_ = lanes.length;
    lanes.forEach((lane) => lane.go_on());
  }

  lane_is_done() {
    this.busy_ -= 1;
    if (this.busy_ === 0) this.next_round_();
  }

  write(run) {
    this.lines_.push(run.to_line());
    if (this.lines_.length >= 256) this.flush_();
  }

  flush_() {
    if (this.lines_.length > 0) fs.writeSync(this.fd_, `${this.lines_.join('\n')}\n`);
    this.lines_ = [];
  }
}

exports.is_program_file = (file) => {
  const head = Buffer.alloc(64);
  try {
    const fd = fs.openSync(file, 'r');
    fs.readSync(fd, head, 0, head.length, 0);
    fs.closeSync(fd);
  } catch (error) {
    return false;
  }
  return head.toString().includes(kSchema);
};

// `parsed`: the command line, {scenarios, trace}.
exports.play_programs = (parsed) => {
  let document;
  try {
    document = JSON.parse(fs.readFileSync(parsed.scenarios, 'utf8'));
  } catch (error) {
    refuse(`cannot read programs from '${parsed.scenarios}': ${error.message}`);
  }
  watch_errors();
  new Player(document, parsed.trace);
};
