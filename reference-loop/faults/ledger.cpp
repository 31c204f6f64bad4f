#include "reference-loop/faults/ledger.h"

namespace refloop::faults {

Ledger::Ticket Ledger::start(std::string_view what, const void* owner) {
  entries_.push_back({std::string(what), owner});
  return entries_.size() - 1;
}

void Ledger::end(Ticket ticket, Error error) {
  Entry& entry = entries_[ticket];
  if (++entry.ends > 1) broken(entry.what + " ended twice");
  if (entry.owner && closed_.contains(entry.owner)) broken(entry.what + " ended after its handle was closed");
  for (Ticket earlier = 0; earlier < ticket; ++earlier) {
    const Entry& other = entries_[earlier];
    if (other.ends == 0 && entry.owner && other.owner == entry.owner && other.what == entry.what)
      broken(entry.what + " ended before one that was started earlier");
  }
  happened(entry.what, error);
}

void Ledger::refuse(Ticket ticket, Error error) {
  Entry& entry = entries_[ticket];
  if (++entry.ends > 1) broken(entry.what + " was refused, and called back all the same");
  happened(entry.what, error);
}

void Ledger::happened(std::string_view what, Error error) { ++outcome_[{std::string(what), error}]; }

void Ledger::finish() {
  for (const Entry& entry : entries_) {
    if (entry.ends == 0) broken(entry.what + " never ended");
  }
}

}  // namespace refloop::faults
