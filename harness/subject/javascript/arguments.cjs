'use strict';
// The command line of a subject, the same as that of the C++ subjects.

const kVerbs = {
  describe: [],
  serve: ['workload', 'option', 'param', 'address', 'port'],
  play: ['scenarios', 'trace', 'mode', 'serve', 'option', 'param'],
};

// Something the caller got wrong: one sentence, exit code 2.
class UsageError extends Error {}

function has(object, key) {
  return Object.prototype.hasOwnProperty.call(object, key);
}

function add_pair(into, flag, text) {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`--${flag} takes key=value, not '${text}'`);
  const key = text.slice(0, equals);
  if (has(into, key)) throw new UsageError(`--${flag} ${key} is given twice`);
  into[key] = text.slice(equals + 1);
}

// argv without node and script -> {verb, options, params, workload?, address?, port?, ...}.
function parse_arguments(argv) {
  const [verb, ...rest] = argv;
  if (!has(kVerbs, verb || '')) {
    throw new UsageError(`the first argument must be describe, serve or play, not '${verb || ''}'`);
  }
  const parsed = { verb, options: {}, params: {} };
  for (let at = 0; at < rest.length; at += 1) {
    const [, flag, , glued] = /^--([a-z]+)(=([^]*))?$/.exec(rest[at]) || [];
    if (!kVerbs[verb].includes(flag)) throw new UsageError(`${verb} does not know '${rest[at]}'`);
    const value = glued === undefined ? rest[at += 1] : glued;
    if (value === undefined) throw new UsageError(`--${flag} needs a value`);
    if (flag === 'option') add_pair(parsed.options, flag, value);
    else if (flag === 'param') add_pair(parsed.params, flag, value);
    else parsed[flag] = value;
  }
  return parsed;
}

// A whole number of an option or flag, within [least, most].
function whole_number(name, text, least, most) {
  const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`${name} must be a whole number from ${least} to ${most}, not '${text}'`);
  }
  return value;
}

function one_of(name, text, choices) {
  if (!choices.includes(text)) {
    throw new UsageError(`${name} must be one of ${choices.join(', ')}, not '${text}'`);
  }
  return text;
}

// Options given, completed by `defaults` (an object of strings).
function with_defaults(given, defaults, subject) {
  for (const key of Object.keys(given)) {
    if (!has(defaults, key)) {
      const known = Object.keys(defaults).join(', ');
      throw new UsageError(`${subject} has no option '${key}'; known: ${known}`);
    }
  }
  return { ...defaults, ...given };
}

module.exports = { UsageError, parse_arguments, whole_number, one_of, with_defaults };
