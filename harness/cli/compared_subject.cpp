#include "harness/cli/compared_subject.h"

#include <fmt/format.h>

namespace tickmark::cli {
namespace {

Expected<ComparedSubject> resolve(process::Registry& registry, const std::string& text) {
  auto name = SubjectName::parse(text);
  if (!name) return std::unexpected(name.error());
  auto subject = registry.resolve(*name);
  if (!subject) return std::unexpected(subject.error());
  const process::SubjectStatus status = registry.status(*subject);
  if (!status.available()) {
    return environment_error(
        fmt::format("{} cannot be compared: {}{}{}", subject->id, status.reason,
                    status.install.empty() ? "" : "; install it with: ", status.install));
  }
  if (auto known = process::Registry::check_options(*subject, status.description); !known)
    return std::unexpected(known.error());
  return ComparedSubject{std::move(*subject), status.description.workloads};
}

}  // namespace

Expected<std::pair<ComparedSubject, ComparedSubject>> compared_subjects(process::Registry& registry,
                                                                        const std::string& baseline,
                                                                        const std::string& candidate) {
  auto a = resolve(registry, baseline);
  if (!a) return std::unexpected(a.error());
  auto b = resolve(registry, candidate);
  if (!b) return std::unexpected(b.error());
  if (a->subject.id == b->subject.id) {
    return usage_error(fmt::format(
        "both sides are '{}'; give the candidate another name, as node:binary=./out/node", a->subject.id));
  }
  return std::pair(std::move(*a), std::move(*b));
}

}  // namespace tickmark::cli
