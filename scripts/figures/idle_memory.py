"""User memory per idle connection: the growth from 1,000 to 5,000 open connections, handles included (1 min).

Anonymous memory of the subject, from smaps_rollup, so the pages it has really touched. Every connection was served
once; before the first reading 20,000 messages have gone through the first 1,000, so that whatever buffers are shared
have been touched and do not count.
"""
import argparse
import pathlib
import re
import resource
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import judge, server, tree  # noqa: E402

GOAL_BYTES = 512
JUDGED = ["reference_loop", "reference_loop:backend=io_uring"]
BESIDE = ["raw_epoll", "raw_io_uring", "libuv", "asio", "thread_per_connection"]
FIRST, LAST, ROUNDS = 1000, 5000, 20


def anonymous_bytes(root):
    total = 0
    for pid in tree(root):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += int(re.search(r"^Anonymous:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024
    return total


def round_trip(peer):
    message = bytes(64)
    peer.sendall(message)
    got = 0
    while got < len(message):
        got += len(peer.recv(4096))


def bytes_per_connection(subject):
    peers = []

    def open_until(count):
        while len(peers) < count:
            peers.append(socket.create_connection(("127.0.0.1", one.port), 30))
            round_trip(peers[-1])

    with server(subject, "sockets") as one:
        try:
            open_until(FIRST)
            for _ in range(ROUNDS):
                for peer in peers:
                    round_trip(peer)
            before = anonymous_bytes(one.pid)
            open_until(LAST)
            return (anonymous_bytes(one.pid) - before) / (LAST - FIRST)
        finally:
            for peer in peers:
                peer.close()


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    good = True
    for subject in [*JUDGED, *BESIDE]:
        good &= judge(f"{subject}: bytes per idle connection", lambda name=subject: bytes_per_connection(name),
                      GOAL_BYTES if subject in JUDGED else None, "{:,.0f}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
