'use strict';
// The verbs about promises. A promise that the step `deferred` makes is settled by `resolve_promise` and
// `reject_promise`.

const { load, timers } = require('./runtime.cjs');
const { ScenarioError } = require('./scenario_error.cjs');

const promised_timers = load('timers/promises'); // since Node 15
const { promisify } = load('util');

const set_timeout = promised_timers ? promised_timers.setTimeout : promisify(timers.setTimeout);
const set_immediate = promised_timers ? promised_timers.setImmediate : promisify(timers.setImmediate);

const kRejected = { status: 'error' };

function promise_of(run, label) {
  return run.thing(label).promise;
}

exports.deferred = (run, step) => {
  const deferred = {};
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }));
  run.add_thing(step.label, deferred);
};

// With `to`: to that promise, which it then follows.
exports.resolve_promise = (run, step) => {
  run.thing(step.target).resolve(step.to === undefined ? undefined : promise_of(run, step.to));
};

exports.reject_promise = (run, step) => run.thing(step.target).reject(new ScenarioError());

exports.react = (run, step, entry) => {
  promise_of(run, step.on).then(() => entry.fire(), () => entry.fire(kRejected));
};

// A promise behind another, without a handler for either outcome.
exports.pass_through = (run, step) => {
  run.add_thing(step.label, { promise: promise_of(run, step.on).then() });
};

// An async function that goes on once the promise is settled.
exports.await = async (run, step, entry) => {
  let more;
  try {
    await promise_of(run, step.on);
  } catch (error) {
    more = kRejected;
  }
  entry.fire(more);
};

// What an async function that returns the promise gives.
exports.async_returning = (run, step) => {
  const promise = promise_of(run, step.on);
  run.add_thing(step.label, { promise: (async () => promise)() });
};

exports.timeout = (run, step, entry) => { set_timeout(step.ms).then(() => entry.fire()); };
exports.immediate = (run, step, entry) => { set_immediate().then(() => entry.fire()); };
