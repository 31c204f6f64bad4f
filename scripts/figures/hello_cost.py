"""CPU per HTTP request of the reference loop against nginx's `return 200`, 64 connections (2 min).

Both send Server, Date, Content-Type, Content-Length and Connection; reply sizes must agree within 5 %. Estimate and
interval as in loop_cost.
"""
import argparse
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import Unserved, judge_ratio, ratios, run_suite, server, verdict  # noqa: E402

GOALS = {"reference_loop:headers=common": 1.0, "reference_loop:backend=io_uring,headers=common": 0.9}


def reply_of(subject):
    """One whole reply to GET /hello on a connection that stays open; what is said instead where it does not start."""
    try:
        return ask(subject)
    except Unserved as why:
        return str(why).encode()


def ask(subject):
    with server(subject, "hello") as one, socket.create_connection(("127.0.0.1", one.port), 10) as peer:
        peer.sendall(b"GET /hello HTTP/1.1\r\nHost: h\r\n\r\n")
        reply = b""
        while not reply.endswith(b"hello\n"):
            more = peer.recv(4096)
            if not more:
                break
            reply += more
        return reply


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=20)
    options = parser.parse_args()
    theirs = reply_of("nginx")
    good = verdict("nginx: reply", "a Date header", f"{len(theirs)} bytes", b"\r\nDate: " in theirs)
    for subject in GOALS:
        ours = reply_of(subject)
        ratio = len(ours) / len(theirs)
        good &= verdict(f"{subject}: reply", "a Date header, size within 5 %", f"{len(ours)} bytes, {ratio:.3f}",
                        b"\r\nDate: " in ours and abs(ratio - 1) <= 0.05)
    with run_suite("hello_cost", blocks=options.blocks) as bundle:
        _, found = ratios(bundle, "cpu_ns_per_request")
    for subject, goal in GOALS.items():
        good &= judge_ratio(f"{subject}: CPU to nginx", found.get(("hello/closed/64", subject)), goal)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
