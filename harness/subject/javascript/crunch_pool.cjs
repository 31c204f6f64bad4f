'use strict';
// A small pool of worker threads for computation in JavaScript, which Node's own thread pool cannot
// run. Started at the first request for it, so that no other workload pays for it.

const os = require('node:os');
const path = require('node:path');
const { Worker } = require('node:worker_threads');

class CrunchPool {
  constructor(size) {
    this.size_ = size;
    this.started_ = 0;
    this.idle_ = [];
    this.waiting_ = [];
  }

  // `then(text)` runs later on the loop; first come, first served.
  run(work, then) {
    if (this.idle_.length === 0 && this.started_ < this.size_) this.start_worker_();
    this.waiting_.push({ work, then });
    this.feed_();
  }

  start_worker_() {
    const worker = new Worker(path.join(__dirname, 'crunch_worker.cjs'));
    this.started_ += 1;
    worker.current = null;
    worker.on('message', (text) => {
      const { then } = worker.current;
      worker.current = null;
      this.idle_.push(worker);
      this.feed_();
      then(text);
    });
    // A worker's error is a bug of ours: unheard, it ends the process with its stack on stderr.
    this.idle_.push(worker);
  }

  feed_() {
    while (this.idle_.length > 0 && this.waiting_.length > 0) {
      const worker = this.idle_.pop();
      worker.current = this.waiting_.shift();
      worker.postMessage(worker.current.work);
    }
  }
}

exports.available_parallelism = () => os.availableParallelism?.() ?? os.cpus().length;
exports.CrunchPool = CrunchPool;
