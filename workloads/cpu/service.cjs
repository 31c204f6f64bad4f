'use strict';
// cpu: number crunching with a checkable answer, inline (on the connection's own execution context)
// or offloaded.

const kPaths = {
  'GET /cpu/primes': { function: 'primes', parameter: 'below', most: Number.MAX_SAFE_INTEGER },
  'GET /cpu/matmul': { function: 'matmul', parameter: 'n', most: 4096 },
};

exports.kind = 'http';
exports.params = {};

function answer(exchange, outcome) {
  if (outcome.error !== 0) return exchange.reply(500, `errno ${outcome.error}\n`);
  return exchange.reply(200, outcome.text);
}

exports.make = () => ({
  on_request(request, exchange) {
    const asked = kPaths[`${request.method} ${request.path}`];
    if (asked === undefined) return exchange.reply(404, 'not found\n');
    const n = request.query.number(asked.parameter, 0, asked.most);
    if (n === null) return exchange.reply(400, `${asked.parameter}= is missing or malformed\n`);
    const work = { kind: 'crunch', function: asked.function, n };
    switch (request.query.get('mode')) {
      case 'inline':
        return exchange.inline_work(work, answer);
      case 'offload':
        return exchange.offload(work, answer);
      default:
        return exchange.reply(400, 'mode= must be inline or offload\n');
    }
  },
});
