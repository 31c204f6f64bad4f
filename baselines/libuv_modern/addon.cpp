// The libuv subject as a native addon of Node.js: what Node calls when it has loaded it never returns.

#include <cstdio>
#include <fstream>
#include <iterator>
#include <node_version.h>
#include <signal.h>
#include <string>
#include <ucontext.h>
#include <unistd.h>
#include <vector>

#include "baselines/libuv/uv_subject.h"

namespace {

/// What stands behind node, the script and the addon.
std::vector<std::string> arguments_of_this_process() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size(); at = text.find('\0', at) + 1) words.push_back(text.c_str() + at);
  words.erase(words.begin(), words.begin() + 2);  // the addon stays: a program's own name
  return words;
}

/// Node's helper threads run before us and let SIGTERM end the process. Each that gets a stop signal blocks
/// it and passes it on, until only the subject's own wait for it (StopWatcher) is left to take it.
void give_stop_signals_to_the_subject() {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int number, siginfo_t*, void* context) {
    sigaddset(&static_cast<ucontext_t*>(context)->uc_sigmask, number);  // in force when this returns
    ::kill(::getpid(), number);
  };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
}

}  // namespace

/// Node-API's entry point (js_native_api_types.h: napi_env, napi_value); declared here by its shape, since
/// nothing else of that interface is used.
extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void*, void*) {
  std::vector<std::string> words = arguments_of_this_process();
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  give_stop_signals_to_the_subject();
  const int code = tickmark::uv_subject_main(static_cast<int>(argv.size()), argv.data(), "libuv_modern",
                                             {{"host", "Node.js " NODE_VERSION}});
  std::fflush(nullptr);
  ::_exit(code);  // Node's own end would run its handlers beside a main thread that is not its own any more
}
