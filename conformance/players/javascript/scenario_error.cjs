'use strict';
// What the steps `throw`, `reject_promise` and `destroy` of a scenario fail with: told apart from the player's
// own errors.

class ScenarioError extends Error {
  constructor() {
    super('as the scenario says');
  }
}

module.exports = { ScenarioError };
