"""What one more open connection costs in memory: in the subject's processes, and in the kernel, which `top` hides.

User memory is what the process tree grew by (anonymous and shared memory) while the connections were made; kernel
memory is slab, socket buffers and kernel stacks of both ends, since client and subject share the machine.
"""
from tickmark_report import panels, selection

TITLE = "Memory per connection"
GROUP, ORDER = "cost", 20
NEEDS = "trials with memory accounting"


def draw(bundle, palette):
    cell = selection.memory_cell(bundle)
    if cell is None:
        return None
    return panels.bar_chart(
        bundle, palette, TITLE,
        [selection.describe(cell) + ".", "Growth while the connections were opened, divided by their number; bars "
         "start at zero, black lines are 95 % intervals over blocks."],
        [("user memory (Pss of the process tree)", cell, "memory_bytes_per_connection", "bytes"),
         ("kernel memory (both ends, whole system)", cell, "kernel_memory_bytes_per_connection", "bytes")],
        per="per connection", same_scale=True)
