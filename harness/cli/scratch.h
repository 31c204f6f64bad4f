#pragma once

#include <filesystem>
#include <system_error>
#include <utility>

#include "harness/base/error.h"

namespace tickmark::cli {

/// A folder of this process below the system's temporary folder, removed with everything in it.
class Scratch {
 public:
  static Expected<Scratch> make() {
    std::error_code error;
    std::string pattern = (std::filesystem::temp_directory_path(error) / "tickmark-XXXXXX").string();
    if (error || ::mkdtemp(pattern.data()) == nullptr) {
      return environment_error(
          "no folder could be made below the temporary folder; set TMPDIR to one you may write");
    }
    return Scratch(pattern);
  }
  Scratch(Scratch&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit Scratch(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace tickmark::cli
