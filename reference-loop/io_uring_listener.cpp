// Accepting on io_uring: armed once, one completion per connection.
#include <cerrno>
#include <sys/socket.h>

#include "reference-loop/io_uring_backend.h"
#include "reference-loop/listener.h"
#include "reference-loop/loop.h"

namespace refloop {

Result<void> IoUringBackend::listen(Listener& listener) {
  Slot& slot = slot_of(listener.fd());
  if (is_taken(slot, nullptr)) return failure(error_from_errno(EEXIST));
  slot.listener = &listener;
  arm_accept(key_of(listener.fd(), slot.generation), slot);
  return {};
}

void IoUringBackend::arm_accept(Key key, Slot& slot) {
  slot.armed = true;
  io_uring_sqe* const submission = prepare();
  io_uring_prep_multishot_accept(submission, static_cast<int>(key.fd), nullptr, nullptr,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
  submission->user_data = Tag(Operation::accept, key).user_data();
}

bool IoUringBackend::accept_completed(const io_uring_cqe& completion) {
  const Key key = Tag(completion).key();
  const bool goes_on = completion.flags & IORING_CQE_F_MORE;
  Socket socket(completion.res);
  Slot* slot = find_slot(key);
  if (!slot) {
    if (goes_on) cancel(Tag(Operation::accept, key));
    return false;  // the listener is closed, and so is the connection
  }
  if (!goes_on) slot->armed = false;
  const bool pauses = !socket && completion.res != -EAGAIN && !concerns_one_connection(-completion.res);
  if (socket)
    slot->listener->accepted(std::move(socket));
  else if (pauses)
    slot->listener->out_of_descriptors();
  slot = find_slot(key);
  if (slot && slot->listener && !slot->armed) arm_accept(key, *slot);
  return completion.res >= 0 || pauses;  // a pause is a new timer: the wait that goes on would not know of it
}

// At once, because the kernel keeps the socket listening as long as it accepts: the port is to be free.
void IoUringBackend::close(Listener& listener) {
  Slot& slot = slot_of(listener.fd());
  if (slot.listener != &listener) return;
  const Key key = key_of(listener.fd(), slot.generation);
  const bool was_armed = slot.armed;
  slot.listener = nullptr;
  slot.armed = false;
  slot.generation = Key::next_generation(slot.generation);
  if (!was_armed) return;
  cancel(Tag(Operation::accept, key));
  submit();
}

}  // namespace refloop
