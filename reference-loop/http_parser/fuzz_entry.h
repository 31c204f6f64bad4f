// What a *_fuzz.cpp defines: one target and the inputs it starts from.
//
// `scripts/fuzz` builds each with clang's libFuzzer, for as long as one likes. The tests build the same files
// with fuzz_driver_main.cpp, which mutates the seeds itself, a fixed number of times, from a fixed seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

// Aborts, or trips a sanitizer, on what must not be.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Ends in nullptr.
extern const char* const kFuzzSeeds[];
// What the tests run: a second at most, sanitized builds included.
extern const unsigned kFuzzRounds;
