'use strict';
// fs: stat, read and write of the files of one folder, by the architecture's own way of file I/O.

const fs = require('node:fs');
const { errno } = require('node:os').constants;
const path = require('node:path');

// Only plain names: what could leave the folder is not a name.
const kPlainName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$/;
const kMissing = [errno.ENOENT, errno.EISDIR, errno.ENOTDIR];

exports.kind = 'http';
exports.params = ['root', 'small_files', 'large_files']; // the latter two are the client half's

// Work for a request, null if its path and method name none.
function work_for(request, file) {
  switch (`${request.method} ${request.path}`) {
    case 'GET /fs/stat':
      return { kind: 'file_stat', path: file };
    case 'GET /fs/read':
      return { kind: 'file_read', path: file };
    case 'POST /fs/write': {
      const sync = request.query.get('sync') === '1';
      return { kind: 'file_write', path: file, content: request.body, sync };
    }
    default:
      return null;
  }
}

function answer(exchange, outcome) {
  if (kMissing.includes(outcome.error)) return exchange.reply(404, 'no such file\n');
  if (outcome.error !== 0) return exchange.reply(500, `errno ${outcome.error}\n`);
  return exchange.reply(200, outcome.bytes ?? String(outcome.number));
}

// What is wrong with the parameters, in one sentence; null if nothing is.
exports.check = ({ root }) => {
  if (!root) return 'workload fs needs --param root=FOLDER';
  if (fs.statSync(root, { throwIfNoEntry: false })?.isDirectory()) return null;
  return `workload fs: root '${root}' is not a folder; give an existing one with --param root=FOLDER`;
};

exports.make = ({ root }) => ({
  on_request(request, exchange) {
    const name = request.query.get('file');
    const work = work_for(request, path.join(root, name ?? ''));
    if (work === null) return exchange.reply(404, 'not found\n');
    if (name === null) return exchange.reply(400, 'file= is missing\n');
    if (!kPlainName.test(name)) return exchange.reply(404, 'not a plain file name\n');
    return exchange.offload(work, answer);
  },
});
