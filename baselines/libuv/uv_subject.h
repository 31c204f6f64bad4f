#pragma once
// The libuv subject as a function: this source is compiled twice, against Debian's libuv and, as
// libuv_modern, against the one inside a newer Node.js.

#include <map>
#include <string>

namespace tickmark {

/// The main() of subject `name`; `versions` are named beside libuv's own. Returns the exit code.
int uv_subject_main(int argc, char** argv, const std::string& name,
                    std::map<std::string, std::string> versions = {});

}  // namespace tickmark
