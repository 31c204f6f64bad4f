'use strict';
// The runtime's modules under their `node:` names, and under the plain ones where it is too old to know those.

exports.load = (name) => {
  try {
    return require(`node:${name}`);
  } catch (error) {
    return require(name);
  }
};
