#include "harness/output/bundle_writer.h"

#include <cassert>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include "harness/stats/hdr_log.h"

namespace tickmark::output {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot(std::string_view verb, const fs::path& path) {
  return environment_error(fmt::format("cannot {} {}: {}; check the disk and the permissions of --output",
                                       verb, path.string(), std::strerror(errno)));
}

/// The whole of `bytes` in as few writes as the kernel allows (one, short of a full disk or a signal).
bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

Expected<void> write_atomically(const fs::path& path, std::string_view bytes) {
  const fs::path temporary = path.string() + fmt::format(".tmp{}", ::getpid());
  UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return cannot("create", temporary);
  if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0) {
    auto error = cannot("write", temporary);
    ::unlink(temporary.c_str());
    return error;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto error = cannot("rename to", path);
    ::unlink(temporary.c_str());
    return error;
  }
  // The rename itself must survive a power cut, or a later line file would outlive its plan.
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  UniqueFd folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
  return {};
}

Expected<void> BundleWriter::check_free(const fs::path& folder) {
  std::error_code failure;
  if (!fs::exists(folder, failure)) return {};
  if (fs::is_directory(folder, failure) && fs::is_empty(folder, failure)) return {};
  return usage_error(fmt::format(
      "output folder {} already holds something; a bundle is never overwritten: name a fresh folder "
      "with --output",
      folder.string()));
}

Expected<BundleWriter> BundleWriter::create(const fs::path& folder, const Json& plan, const Json& machine) {
  if (auto free = check_free(folder); !free) return std::unexpected(free.error());
  const fs::path unborn = folder.string() + fmt::format(".new{}", ::getpid());
  std::error_code failure;
  fs::create_directories(unborn, failure);
  if (failure) {
    return environment_error(fmt::format("cannot make the output folder {}: {}; choose another with --output",
                                         folder.string(), failure.message()));
  }
  BundleWriter writer(unborn);
  Expected<void> written = writer.write_document("plan.json", plan);
  if (written) written = writer.write_document("machine.json", machine);
  if (written && ::rename(unborn.c_str(), folder.c_str()) != 0) written = cannot("rename to", folder);
  if (!written) {
    fs::remove_all(unborn, failure);
    return std::unexpected(written.error());
  }
  writer.folder_ = folder;
  return writer;
}

Expected<BundleWriter> BundleWriter::open(const fs::path& folder) {
  std::error_code failure;
  if (!fs::is_regular_file(folder / "plan.json", failure)) {
    return usage_error(fmt::format(
        "{} is no result bundle: it has no plan.json; name the folder that 'tickmark run' printed",
        folder.string()));
  }
  return BundleWriter(folder);
}

Expected<void> BundleWriter::write_document(std::string_view file, const Json& document) {
  assert(document.is_object() && document.contains("schema"));
  return write_atomically(folder_ / file, document_text(document));
}

Expected<void> BundleWriter::append(UniqueFd& file, std::string_view name, std::string_view line,
                                    bool to_disk) {
  const fs::path path = folder_ / name;
  if (!file) {
    file.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!file) return cannot("open", path);
  }
  if (!write_all(file.get(), line)) return cannot("append to", path);
  if (to_disk && ::fdatasync(file.get()) != 0) return cannot("flush", path);
  return {};
}

Expected<void> BundleWriter::append_trial(const Json& trial) {
  assert(trial.is_object() && trial.contains("schema"));
  return append(trials_, "trials.ndjson", line_text(trial), true);
}

Expected<void> BundleWriter::append_verdict(const Json& verdict) {
  assert(verdict.is_object() && verdict.contains("schema"));
  return append(verdicts_, "conformance.ndjson", line_text(verdict), false);
}

Expected<void> BundleWriter::append_histogram(std::string_view tag, Nanos start_since_epoch, Nanos length,
                                              const stats::Histogram& histogram) {
  if (histogram.empty()) return {};
  std::string text;
  if (histograms_start_ < Nanos{0}) {
    histograms_start_ = start_since_epoch;
    text = stats::hdr_log_header("tickmark result bundle; tags: t<trial>.<lane>.<what>; values in ns",
                                 start_since_epoch);
  }
  text += stats::hdr_log_line(tag, start_since_epoch - histograms_start_, length, histogram);
  return append(histograms_, "histograms.hlog", text, false);
}

Expected<fs::path> BundleWriter::traces_folder() {
  const fs::path path = folder_ / "traces";
  std::error_code failure;
  fs::create_directories(path, failure);
  if (failure) {
    return environment_error(fmt::format("cannot make {}: {}; check the disk and the permissions of --output",
                                         path.string(), failure.message()));
  }
  return path;
}

Nanos wall_clock() {
  timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return Nanos{static_cast<int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec};
}

std::string utc_text(Nanos since_epoch) {
  const time_t whole = static_cast<time_t>(since_epoch.count() / 1'000'000'000);
  tm parts{};
  gmtime_r(&whole, &parts);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace tickmark::output
