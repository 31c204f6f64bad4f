#pragma once
// File work without the pool: the option files=ring. Each piece of work is a chain of the loop's file
// requests, which the io_uring backend carries out.

#include "harness/vocabulary/service.h"
#include "reference-loop/loop.h"

namespace tickmark {

bool is_file_work(const Work& work);
/// Only file work. `then` runs later, on the loop's thread.
void run_on_ring(refloop::Loop& loop, Work work, Connection::Then then);

}  // namespace tickmark
