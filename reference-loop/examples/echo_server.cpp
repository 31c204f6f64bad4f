// An echo server: echo_server [port]. Sends back what it gets, to any number of connections, until it is
// killed.
#include <cstdio>
#include <cstdlib>

#include "reference-loop/listener.h"
#include "reference-loop/loop.h"
#include "reference-loop/tcp.h"

namespace {

void echo(refloop::Stream& stream, refloop::Bytes bytes) {
  (void)stream.send(bytes);                           // should that fail, finish() hears of it
  if (stream.queued_bytes() > 0) stream.read_stop();  // the peer does not read: neither do we
}

// Closed, then freed: the loop only links a handle, its memory is ours.
void finish(refloop::Stream& stream, refloop::Error) {
  stream.close([](refloop::Handle& handle) { delete static_cast<refloop::Tcp*>(&handle); });
}

void go_on(refloop::Stream& stream) { (void)stream.read_start(echo, finish); }

void serve(refloop::Listener& listener, refloop::Socket socket) {
  auto* const tcp = new refloop::Tcp(listener.loop());
  tcp->set_on_drain(go_on);
  if (const auto adopted = tcp->adopt(std::move(socket)); !adopted) return finish(*tcp, adopted.error());
  go_on(*tcp);
}

}  // namespace

int main(int argc, char** argv) {
  const auto loop = refloop::Loop::create();
  if (!loop) return 1;
  const int port = argc > 1 ? std::atoi(argv[1]) : 0;
  refloop::Listener listener(**loop);
  const auto address = refloop::Address::parse("127.0.0.1", static_cast<std::uint16_t>(port));
  if (const auto listening = listener.listen(*address, {}, serve); !listening) {
    std::fprintf(stderr, "port %d: %s\n", port, refloop::message_of(listening.error()).data());
    return 1;
  }
  std::printf("listening on port %d\n", listener.local_address()->port());
  std::fflush(stdout);
  (*loop)->run();
}
