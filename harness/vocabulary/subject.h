#pragma once
// A subject is a process under test: one architecture on one runtime. Its instances are the folders of
// baselines/: subject.yaml says what it is and how to start it.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.h"
#include "harness/vocabulary/service.h"

namespace tickmark {

/// `name[@version][:key=value,...]`; the string is the subject's id in bundles and charts.
struct SubjectName {
  std::string name;
  std::string version;  ///< "" = what is installed, else the newest that has been fetched
  Parameters options;

  std::string text() const;
  /// Refuses empty names, characters outside [a-z0-9_], repeated or empty keys.
  static Expected<SubjectName> parse(std::string_view text);
};

/// subject.yaml of a folder in baselines/.
struct SubjectManifest {
  std::string name;                  ///< the folder's name
  std::string title;                 ///< as charts print it: "Node.js"
  std::string says;                  ///< the architecture in one sentence
  std::string colour;                ///< "#rrggbb", the same in every chart
  std::vector<std::string> command;  ///< argv; {dir} = its folder, {bin} = the build's bin, {k} = option k
  std::string binary;         ///< what must be found for it to be available ("node"); "" = built with us
  std::string install;        ///< the command that would install it
  std::string caveat;         ///< printed beside its numbers, e.g. "no service half: the floor"
  Parameters launch_options;  ///< options consumed by the launcher (e.g. binary=node), with defaults
  std::string fetched;  ///< family of scripts/runtimes.lock whose programs may be its `binary`; "" = none
};

/// What `<subject> describe` prints.
struct SubjectDescription {
  std::string name;
  std::map<std::string, std::string> versions;  ///< runtime, loop, crypto, engine, compiler ...
  std::vector<std::string> workloads;           ///< ids, or "id/variant" where it speaks some variants only
  std::vector<std::string> features;            ///< e.g. "play", "play_under_load"
  Parameters options;                           ///< with defaults
};

/// Whether one of `workloads` (see SubjectDescription) is `workload` as a whole, or this variant of it.
bool speaks(const std::vector<std::string>& workloads, std::string_view workload, std::string_view variant);

}  // namespace tickmark
