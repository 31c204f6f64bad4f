'use strict';
// cpu: number crunching with a checkable answer, inline (on the connection's own execution context)
// or offloaded.

// `most`: what one request may cost at most (about 10 s); beyond is a malformed parameter.
const kPaths = {
  'GET /cpu/primes': { function: 'primes', parameter: 'below', least: 0, most: 10000000 },
  'GET /cpu/matmul': { function: 'matmul', parameter: 'n', least: 1, most: 1024 },
};

exports.kind = 'http';
exports.params = ['primes_below', 'matmul_n']; // the client half's; of no use here

function answer(exchange, outcome) {
  if (outcome.error !== 0) return exchange.reply(500, `errno ${outcome.error}\n`);
  return exchange.reply(200, outcome.text);
}

exports.make = () => ({
  on_request(request, exchange) {
    const asked = kPaths[`${request.method} ${request.path}`];
    if (asked === undefined) return exchange.reply(404, 'not found\n');
    const n = request.query.number(asked.parameter, asked.least, asked.most);
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
