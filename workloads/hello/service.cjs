'use strict';
// hello: the smallest HTTP exchange, so that only the HTTP layer is asked.

exports.kind = 'http';
exports.params = [];

exports.make = () => ({
  on_request(request, exchange) {
    if (request.method === 'GET' && request.path === '/hello') {
      exchange.reply(200, 'hello\n');
    } else {
      exchange.reply(404, 'not found\n');
    }
  },
});
