// Connections in memory: what a simulated loop's streams are connected to, which is each other.
//
// A part of the simulation, not of its interface: simulation.h. Descriptors are real sockets that are
// never connected: they give every end a number, a lifetime and, if it listens, an address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <sys/uio.h>
#include <vector>

#include "reference-loop/address.h"
#include "reference-loop/agenda.h"
#include "reference-loop/error.h"
#include "reference-loop/socket.h"
#include "reference-loop/time.h"

namespace refloop {

class Listener;
class SimulatedNetwork;
class Simulation;
class Stream;

// One end of a connection, or what a refused connect leaves behind.
class SimulatedEnd final : public SimulatedEvent {
 public:
  SimulatedEnd(SimulatedNetwork& network, int fd) : network_(network), fd_(fd) {}

  void happen() override;
  // Schedules what its stream waits for now.
  void attend();
  // The same for a stream that is about to read.
  void attend_reading();
  // Gives bytes to the peer and says how many; Error::again: there is no room.
  Result<std::size_t> send(std::span<const iovec> buffers);
  void write_queue();
  // Of a stream without an end.
  static void refuse_writes(Stream& stream);
  // Error::not_connected if the peer has reset the connection.
  Result<void> finish_sending();

 private:
  friend class SimulatedNetwork;
  friend class SimulatedPort;

  enum class What : std::uint8_t { bytes, end, reset };
  struct Segment {
    Nanos time;  // of arrival, in order
    What what;
    std::size_t size;
  };

  void arrive(What what, std::size_t size);
  void receive();
  void discard();
  void take(std::size_t size);
  std::size_t choose_size();
  std::size_t room() const;
  bool waits_for_room() const;

  SimulatedNetwork& network_;
  const int fd_;
  Stream* stream_ = nullptr;  // once it asked for something
  SimulatedEnd* peer_ = nullptr;
  std::deque<Segment> incoming_;
  std::vector<std::byte> bytes_;  // of incoming_, from consumed_ on
  std::size_t consumed_ = 0;
  bool discards_ = false;                // nobody's: the far end of a connection to kDiscardPort
  Nanos connected_time_ = Nanos::max();  // when a connect is decided; max: none under way
  Error connect_error_ = Error::none;
  Nanos writable_time_ = Nanos::max();  // max: nobody waits for room
  bool end_sent_ = false;
  bool reset_ = false;  // nothing can be sent any more
  bool closed_ = false;
};

// A listener's queue of connections.
class SimulatedPort final : public SimulatedEvent {
 public:
  SimulatedPort(SimulatedNetwork& network, Listener& listener) : network_(network), listener_(&listener) {}
  void happen() override;
  void attend();

 private:
  friend class SimulatedNetwork;

  struct Arrival {
    Nanos time;
    Socket socket;  // the accepted end's
    SimulatedEnd* end;
  };

  SimulatedNetwork& network_;
  Listener* listener_;  // null: closed
  std::deque<Arrival> arrivals_;
};

class SimulatedNetwork {
 public:
  explicit SimulatedNetwork(Simulation& simulation) : simulation_(simulation) {}
  ~SimulatedNetwork();

  // Two descriptors that are connected with each other.
  Result<std::pair<Socket, Socket>> pair();
  void listen(Listener& listener);
  void close(Listener& listener);
  Result<void> connect(Stream& stream, const Address& peer);
  // The end of a stream; null if its descriptor is not of this network.
  SimulatedEnd* end_of(Stream& stream);
  void close(Stream& stream);
  // Frees what was closed in callbacks that have returned.
  void bury();

 private:
  friend class SimulatedEnd;
  friend class SimulatedPort;

  SimulatedEnd& make_end(int fd);
  void disconnect(SimulatedEnd& end);
  Nanos arrival() const;

  Simulation& simulation_;
  std::vector<std::unique_ptr<SimulatedEnd>> ends_;  // by descriptor
  std::vector<std::unique_ptr<SimulatedEnd>> discarding_ends_;
  std::vector<std::unique_ptr<SimulatedPort>> ports_;
  std::vector<std::unique_ptr<SimulatedEnd>> closed_ends_;
  std::vector<std::unique_ptr<SimulatedPort>> closed_ports_;
};

}  // namespace refloop
