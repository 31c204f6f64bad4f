#pragma once
// From templates to cells: names, rates, lanes, who takes part. Private to make_plan and its tests.

#include "harness/run/plan.h"

namespace tickmark::run {

/// Name of a capacity: workload[_variant]_connections[_placement, where it is not the workload's default].
std::string calibration_key(const CellTemplate& cell, const WorkloadSpec& spec);

/// The registry's spec; usage error that names the suite's workload if there is none.
Expected<const WorkloadSpec*> find_workload(const std::vector<WorkloadSpec>& workloads,
                                            const std::string& id);

/// Cells of the overridden suite, in its order, without duplicates (overrides can make two cells equal;
/// the one with more blocks stays).
Expected<std::vector<PlannedCell>> make_cells(const Suite& suite, const PlanInput& input);

/// Every subject once per cell and block. Cells stand in random order; a cell's subjects stand next to each
/// other in random order, because neighbours in time share the machine's mood: their ratio is what we print.
std::vector<PlannedTrial> make_schedule(const std::vector<PlannedCell>& cells, uint64_t seed);

}  // namespace tickmark::run
