#pragma once
// The client half of a workload with finitely many different requests: all requests and their one correct
// body are made at construction, so that sending costs the generator a look-up.

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/random.h"
#include "harness/vocabulary/client.h"

namespace tickmark::workloads {

/// The head of a request, complete but for a body.
inline std::string http_head(std::string_view method, std::string_view target, std::string_view host,
                             std::string_view more_fields = "") {
  std::string head;
  head.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n");
  return head.append(more_fields).append("\r\n");
}

class TableClient final : public HttpClient {
 public:
  struct Entry {
    std::string request;
    std::string body;
  };
  /// Entries of one kind; a kind is drawn in proportion to its weight, then an entry evenly.
  struct Kind {
    uint64_t weight = 1;
    std::vector<Entry> entries;
  };

  TableClient(uint64_t seed, std::vector<Kind> kinds) : seed_(seed), kinds_(std::move(kinds)) {
    for (const Kind& kind : kinds_) {
      assert(kind.weight > 0 && !kind.entries.empty());
      total_ += kind.weight;
    }
  }

  std::string_view request(uint64_t number, std::string&) const override { return entry(number).request; }
  std::string_view expected_body(uint64_t number) const override { return entry(number).body; }

 private:
  // A pure function of (seed, number): the generator may ask in any order, and twice.
  const Entry& entry(uint64_t number) const {
    SplitMix64 random(seed_ ^ (number + 1) * 0xD1342543DE82EF95ULL);
    uint64_t draw = random.below(total_);
    const Kind* kind = kinds_.data();
    while (draw >= kind->weight) draw -= (kind++)->weight;
    return kind->entries[random.below(kind->entries.size())];
  }

  uint64_t seed_;
  std::vector<Kind> kinds_;
  uint64_t total_ = 0;
};

/// `number -> entry` of several variants: names the workload's variants and picks the one asked for.
/// Usage error for an unknown name; "" is the first.
Expected<size_t> pick_variant(std::string_view workload, std::string_view wanted,
                              std::initializer_list<std::string_view> variants);

}  // namespace tickmark::workloads
