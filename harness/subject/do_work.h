#pragma once
// The one blocking implementation of every Work value, shared by all C++ subjects: they differ in where
// they run it, never in what is run.

#include "harness/vocabulary/work.h"

namespace tickmark::subject {

/// Runs `work` to its end in the calling thread; may block on files. Thread-safe. Fits
/// on a 64 KiB stack once prepare_work() has run.
WorkOutcome do_work(const Work& work);

/// Makes OpenSSL load its algorithms now, on this thread's large stack and outside of any measurement.
void prepare_work();

}  // namespace tickmark::subject
