// A server with one fault, which a rule of the wire layer must find: bad_server FAULT serve --workload W.
// Threads and blocking calls, one thread per connection; "none" is a server without a fault.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

std::string_view fault;

bool has(std::string_view name) { return fault == name; }

// Held for as long as a client is there, or works: what one of them waits for, all wait for.
std::mutex one_at_a_time;

// The connections served now. dies_of_reset looks at all of them before it serves the next one: whether its
// thread notices a reset in time would be a race between two threads, and a race convicts nobody for sure.
class Served {
 public:
  void add(int fd) {
    const std::scoped_lock lock(mutex_);
    fds_.push_back({fd, 0, 0});
  }
  void close(int fd) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(fds_, [fd](const pollfd& one) { return one.fd == fd; });
    ::close(fd);
  }
  bool one_is_reset() {
    const std::scoped_lock lock(mutex_);
    return ::poll(fds_.data(), fds_.size(), 0) > 0 &&
           std::ranges::any_of(fds_, [](const pollfd& one) { return (one.revents & POLLERR) != 0; });
  }

 private:
  std::mutex mutex_;
  std::vector<pollfd> fds_;
} served;

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      if (has("dies_of_reset")) ::_exit(1);
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void reset(int fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool waits_too_long(int fd) {
  pollfd watched{fd, POLLIN, 0};
  return has("hangs_up_on_silence") && ::poll(&watched, 1, 100) == 0;
}

// Nothing more will come. A look takes the reset off the socket, so who dies of one dies here.
bool has_ended(int fd) {
  char more;
  const ssize_t seen = ::recv(fd, &more, 1, MSG_PEEK | MSG_DONTWAIT);
  if (seen < 0 && errno != EAGAIN && has("dies_of_reset")) ::_exit(1);
  return seen == 0;
}

// Reads ahead without a bound: what the client does not take stays here.
void swallow(int fd, std::string kept) {
  std::array<char, 65536> bytes;
  for (ssize_t got; (got = ::recv(fd, bytes.data(), bytes.size(), 0)) > 0;) {
    if (kept.size() < 1024) kept.append(bytes.data(), static_cast<size_t>(got));
  }
}

void echo(int fd) {
  std::array<char, 65536> bytes;
  bool first = true;
  while (!waits_too_long(fd)) {
    const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (got < 0 && has("dies_of_reset")) ::_exit(1);
    if (got < 0) return;
    const bool ends = got == 0 || has_ended(fd);
    if (ends && has("resets_at_the_end")) reset(fd);
    if (ends && (has("loses_the_last_bytes") || has("resets_at_the_end"))) return;
    if (got == 0) return;
    auto size = static_cast<size_t>(got);
    if (has("swaps_messages") && size >= 128)
      std::swap_ranges(bytes.begin(), bytes.begin() + 64, bytes.begin() + 64);
    if (has("wants_whole_messages") && size < 64) return;
    if (has("swallows")) return swallow(fd, {bytes.data(), size});
    if (has("loses_when_it_does_not_fit") && !first) {
      const ssize_t sent = ::send(fd, bytes.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) continue;
      size = 0;
    }
    first = false;
    if (!send_all(fd, {bytes.data(), size})) return;
  }
}

std::string answer(int status, std::string_view body, bool close) {
  return "HTTP/1.1 " + std::to_string(status) + " Status\r\nContent-Length: " + std::to_string(body.size()) +
         (close ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n") + std::string(body);
}

unsigned primes_below(unsigned end) {
  unsigned count = 0;
  for (unsigned n = 2; n < end; ++n) {
    unsigned d = 2;
    while (d * d <= n && n % d != 0) ++d;
    count += d * d > n ? 1 : 0;
  }
  return count;
}

std::string answer_to(std::string_view head, bool close) {
  if (!head.starts_with("GET /")) return answer(400, "", true);
  if (head.starts_with("GET /hello")) return answer(200, "hello\n", close);
  constexpr std::string_view kPrimes = "GET /cpu/primes?below=";
  if (!head.starts_with(kPrimes)) return answer(404, "", close);
  const unsigned end = static_cast<unsigned>(std::strtoul(head.data() + kPrimes.size(), nullptr, 10));
  return answer(200, std::to_string(primes_below(end)), close);
}

// False: the connection is over.
bool serve_requests(int fd, std::string& input) {
  std::unique_lock<std::mutex> working;  // until the answer is sent: whoever waits must not overtake it
  if (has("works_one_at_a_time")) working = std::unique_lock(one_at_a_time);
  std::vector<std::string> answers;
  bool over = false;
  for (size_t end; !over && (end = input.find("\r\n\r\n")) != std::string::npos;) {
    const std::string head = input.substr(0, end);
    input.erase(0, has("takes_one_request_per_read") ? input.size() : end + 4);
    const bool bad = !head.starts_with("GET /");
    const bool asked =
        head.find("Connection: close") != std::string::npos || head.find("HTTP/1.0") != std::string::npos;
    const bool close = bad || (asked && !has("never_ends"));
    over = close && !has("never_ends");
    if (bad && has("answers_nonsense_200"))
      answers.push_back(answer(200, "", close));
    else
      answers.push_back(answer_to(head, close));
    if (has("ends_after_each_answer")) over = true;
  }
  if (has("answers_the_last_first")) std::ranges::reverse(answers);
  for (const std::string& one : answers) {
    if (!send_all(fd, one)) return false;
  }
  return !over;
}

void http(int fd) {
  std::string input;
  std::array<char, 65536> bytes;
  while (true) {
    const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (got < 0 && has("dies_of_reset")) ::_exit(1);
    if (got <= 0) return;
    const bool ends = has_ended(fd);
    if (ends && has("loses_the_last_bytes")) return;
    if (has("swallows")) return swallow(fd, {});
    input.append(bytes.data(), static_cast<size_t>(got));
    if (has("wants_whole_messages") && input.find("\r\n\r\n") == std::string::npos) return;
    if (!serve_requests(fd, input)) break;
  }
  // What comes now is read and dropped, or closing would reset the connection under the answer.
  ::shutdown(fd, SHUT_WR);
  while (::recv(fd, bytes.data(), bytes.size(), 0) > 0) {
  }
}

void serve(int fd, bool is_http) {
  std::unique_lock<std::mutex> alone;
  if (has("serves_one_at_a_time")) alone = std::unique_lock(one_at_a_time);
  is_http ? http(fd) : echo(fd);
  served.close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  fault = argv[1];
  const bool is_http = std::string_view(argv[4]) != "sockets";
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 4096) != 0)
    return 3;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("{\"ready\":{\"address\":\"127.0.0.1\",\"port\":%d,\"pid\":%d}}\n", ntohs(address.sin_port),
              ::getpid());
  std::fflush(stdout);
  std::thread([] {
    char byte;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
    ::_exit(0);
  }).detach();
  for (int accepted = 0;; ++accepted) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (has("takes_sixty_connections") && accepted >= 60) continue;  // never answered, never closed
    served.add(fd);
    if (has("dies_of_reset") && served.one_is_reset()) ::_exit(1);
    std::thread(serve, fd, is_http).detach();
  }
}
