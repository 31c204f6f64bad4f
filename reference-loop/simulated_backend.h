// The backend of virtual time: poll() moves the clock to the next thing that happens instead of waiting
// for it, and lets the simulation's Choices decide what is delivered, and in which order.
#pragma once

#include <cstdint>
#include <vector>

#include "reference-loop/agenda.h"
#include "reference-loop/backend.h"
#include "reference-loop/simulation.h"

namespace refloop {

class SimulatedBackend final : public Backend {
 public:
  SimulatedBackend(Loop& loop, Simulation& simulation);

  void poll(Nanos timeout) override;
  // Of real descriptors, which are looked at once per turn.
  Result<void> watch(FdWatch& watch, int fd, std::uint32_t events) override;
  void unwatch(FdWatch& watch) override;

  Result<void> connect(Stream& stream, const Address& peer) override;
  Result<void> read_start(Stream& stream) override;
  void read_stop(Stream& stream) override;
  void write(Stream& stream) override;
  Result<std::size_t> try_write(Stream& stream, std::span<iovec> buffers) override;
  Result<void> send(Stream& stream, std::span<const std::byte> first,
                    std::span<const std::byte> second) override;
  Result<void> shutdown(Stream& stream) override;
  void close(Stream& stream) override;

  Result<void> listen(Listener& listener) override;
  void close(Listener& listener) override;

 private:
  void wait(Nanos deadline);
  void choose(bool may_be_empty);
  void stall();
  void be_late();
  void look_at_descriptors(int timeout_ms);
  void deliver_descriptors(bool last);

  Loop& loop_;
  Simulation& simulation_;
  Agenda::Batch batch_;
  std::vector<FdWatch*> watches_;
  // Readiness of real descriptors in this turn; a watch that is stopped meanwhile is taken out.
  struct Ready {
    FdWatch* watch;
    std::uint32_t events;
  };
  std::vector<Ready> ready_descriptors_;
};

}  // namespace refloop
