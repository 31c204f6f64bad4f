#pragma once
// Everything between a request and the first trial: which subjects, what is calibrated, which plan.

#include <functional>
#include <map>

#include "harness/run/run.h"
#include "harness/run/trial.h"

namespace tickmark::run {

/// Subjects by id, startable.
using ResolvedSubjects = std::map<std::string, process::ResolvedSubject>;

struct Prepared {
  Plan plan;
  ResolvedSubjects subjects;   ///< those of the plan that are available here
  bool nothing_to_do = false;  ///< everything selected was skipped
};

/// A subject as the registry knows it, for the plan.
PlannedSubject planned_subject(process::Registry& registry, const process::ResolvedSubject& subject);

/// The plan of a request: made (and calibrated, unless `measure` is false), or read from request.plan_file.
Expected<Prepared> prepare(process::Registry& registry, const RunRequest& request, ClientCache& clients,
                           const CpuRoles& cpus, const std::function<bool()>& interrupted, bool measure);

/// Raises the soft limit of descriptors to the hard one (subjects inherit it), and refuses (environment) a
/// plan whose largest cell cannot be held.
Expected<void> ensure_descriptors(const Plan& plan);

}  // namespace tickmark::run
