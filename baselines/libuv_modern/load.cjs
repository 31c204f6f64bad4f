// Hands this process over to the addon, whose own libraries (OpenSSL) come before those inside Node.
const { RTLD_NOW, RTLD_DEEPBIND } = require('os').constants.dlopen;
process.dlopen({ exports: {} }, process.argv[2], RTLD_NOW | RTLD_DEEPBIND);
