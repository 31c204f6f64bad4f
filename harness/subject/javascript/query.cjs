'use strict';
// A request's target, as a service half sees it: values are plain ASCII, undecoded.

class Query {
  constructor(text) {
    this.text_ = text;
  }

  // The first value of `name`, '' if it is given empty, null if it is absent.
  get(name) {
    for (const pair of this.text_.split('&')) {
      if (pair.startsWith(name) && pair[name.length] === '=') return pair.slice(name.length + 1);
    }
    return null;
  }

  // A whole number in decimal within [least, most]; null if absent or anything else.
  number(name, least, most) {
    const text = this.get(name);
    if (text === null || !/^[0-9]{1,16}$/.test(text)) return null;
    const value = Number(text);
    return value >= least && value <= most ? value : null;
  }
}

// {path, query} of a request target.
exports.split_target = (target) => {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: new Query('') };
  return { path: target.slice(0, mark), query: new Query(target.slice(mark + 1)) };
};
