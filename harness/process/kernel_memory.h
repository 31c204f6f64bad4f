#pragma once
// Kernel memory that connections cost. The kernel charges it to nobody in particular, so it is read for
// the whole machine, before and after: the difference contains both ends of each connection, and whatever
// else the machine did meanwhile (noise of some hundred KiB: divide by thousands of connections, not ten).

#include <cstdint>
#include <string_view>

namespace tickmark::process {

struct KernelMemory {
  uint64_t slab_bytes = 0;          ///< sockets, files, inodes, epoll items (meminfo Slab)
  uint64_t kernel_stack_bytes = 0;  ///< of threads (meminfo KernelStack)
  uint64_t page_table_bytes = 0;    ///< meminfo PageTables
  uint64_t socket_bytes = 0;        ///< TCP buffers (sockstat TCP mem, in pages)

  uint64_t total() const { return slab_bytes + kernel_stack_bytes + page_table_bytes + socket_bytes; }
};

/// Contents of /proc/meminfo and /proc/net/sockstat; a line that is missing counts 0.
KernelMemory parse_kernel_memory(std::string_view meminfo, std::string_view sockstat, uint64_t page_bytes);

KernelMemory sample_kernel_memory();

/// Bytes per connection, both ends and noise included; 0 if less is used after than before.
double kernel_bytes_per_connection(const KernelMemory& before, const KernelMemory& after, int connections);

}  // namespace tickmark::process
