#include "harness/process/kernel_memory.h"

#include <unistd.h>

#include "harness/process/process_tree.h"
#include "harness/process/text.h"

namespace tickmark::process {

KernelMemory parse_kernel_memory(std::string_view meminfo, std::string_view sockstat, uint64_t page_bytes) {
  const auto kib = [&](std::string_view key) {
    return static_cast<uint64_t>(to_integer(value_of(meminfo, key))) * 1024;
  };
  KernelMemory memory;
  memory.slab_bytes = kib("Slab:");
  memory.kernel_stack_bytes = kib("KernelStack:");
  memory.page_table_bytes = kib("PageTables:");
  const auto words = split_words(value_of(sockstat, "TCP:"));
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "mem") memory.socket_bytes = static_cast<uint64_t>(to_integer(words[i + 1])) * page_bytes;
  }
  return memory;
}

KernelMemory sample_kernel_memory() {
  return parse_kernel_memory(read_proc_file("/proc/meminfo"), read_proc_file("/proc/net/sockstat"),
                             static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)));
}

double kernel_bytes_per_connection(const KernelMemory& before, const KernelMemory& after, int connections) {
  if (connections <= 0 || after.total() <= before.total()) return 0;
  return static_cast<double>(after.total() - before.total()) / connections;
}

}  // namespace tickmark::process
