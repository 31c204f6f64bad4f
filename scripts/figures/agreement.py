"""wrk and h2load agree with ours where theory says so, and differ by as much as it predicts where they must (2 min).

Agreement. Closed loop, 50 connections, the server on the first core, the generator on the last. Whoever asks, a server
at its limit answers as many requests/s as it can, and each request waits for those of the 49 other connections: the
in-block ratios of requests/s and of median latency have a median within 10 % of 1. That holds where the server is the
limit, so a generator that used more than 90 % of its core is told and not judged; on /cpu/primes none is.

Disagreement. The server is stopped for P = 0.6 s once in T = 6 s. Asked 1,000 times/s at constant intervals the truth
is P - (1 - rho) T (1 - q) at quantile q, and ours must show it. What the others must show follows from what they do:

  h2load, closed      a connection asks nothing while it waits: 50 requests are slow, whatever the rate, and where that
                      is less than 1 % of all, p99 is that of a server that was never stopped;
  h2load --rps        the same, though it is called a rate: 50 of the 600 that were due are seen to be late. The others
                      count from when they were sent, once the server was back, one per connection: 50 / capacity;
  wrk                 adds to each slow request made-up ones, each less by the mean interval of its connection: 50 waits
                      told from P down to 0. Its p99 is P - (1 - q) (T + P), right for the wrong reason.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from common import (add_broken, conclude, fail, load, remark, server, stop_quantile_ms,  # noqa: E402
                    stopped_once, use_broken, verdict)

CONNECTIONS, RATE = 50, 1000
BLOCKS, BLOCK_S = 9, 1
WITHIN = 0.10
AT_ITS_LIMIT = 0.90
PAUSE_S, WINDOW_S = 0.6, 6
SLOW_MS = 500  # who waited longer was asked when the server stopped
# server -> what is asked of it: as little as possible, and enough for any generator to be the faster side.
SERVERS = {"nginx": ("hello", "/hello"), "reference_loop": ("cpu", "/cpu/primes?below=2000&mode=inline")}

UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * UNITS_MS[unit]


def run_pinned(command, cpu):
    """(what it printed, CPU time it used in seconds)"""
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(["taskset", "-c", str(cpu), *command], stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode != 0:
        fail(f"{command[0]} failed: {text.strip()}")
    return text, usage.ru_utime + usage.ru_stime


def wrk(url, seconds, cpu):
    text, used = run_pinned(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", url], cpu)
    percentiles = dict(re.findall(r"^\s+(\d+)%\s+(\S+)$", text, re.MULTILINE))
    return {"rate": float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1]), "busy": used / seconds,
            "p50": milliseconds(percentiles["50"]), "p99": milliseconds(percentiles["99"])}


def h2load(url, seconds, cpu, *arguments):
    """h2load prints no percentiles; its log has a line per request: start in us, status, duration in us."""
    with tempfile.NamedTemporaryFile() as log:
        text, used = run_pinned(["h2load", "--h1", "-t1", f"-c{CONNECTIONS}", f"-D{seconds}", f"--log-file={log.name}",
                                 *arguments, url], cpu)
        waited = sorted(int(line.split()[2]) / 1e3 for line in pathlib.Path(log.name).read_text().splitlines())
    if not waited:
        fail(f"h2load logged no request: {text.strip()}")
    return {"rate": float(re.search(r"finished in .*?, ([\d.]+) req/s", text)[1]), "busy": used / seconds,
            "p50": quantile(waited, 0.5), "p99": quantile(waited, 0.99), "count": len(waited),
            "slow": sum(1 for w in waited if w > SLOW_MS)}


def ours(url, seconds, cpu):
    report = load(url, "--closed", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s", "--warmup", "200ms",
                  "--cpu", str(cpu))
    service = report["service_time_ns"]
    return {"rate": report["achieved_rate_per_s"], "busy": report["client"]["cpu_utilisation"],
            "p50": service["p50"] / 1e6, "p99": service["p99"] / 1e6}


def quantile(ordered, q):
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def judge_agreement(name, url, cpu, blocks):
    """Whether both agree; and what ours saw, block by block."""
    tools = {"tickmark": ours, "wrk": wrk, "h2load": h2load}
    seen = {tool: [] for tool in tools}
    order = random.Random(1)
    for _ in range(blocks):
        for tool in order.sample(sorted(tools), len(tools)):
            seen[tool].append(tools[tool](url, BLOCK_S, cpu))
    own, good = seen["tickmark"], True
    print(f"{name}: {statistics.median(r['rate'] for r in own):,.0f} requests/s, p50 "
          f"{statistics.median(r['p50'] for r in own):.2f} ms by tickmark, {blocks} blocks", flush=True)
    busy = {tool: statistics.median(r["busy"] for r in readings) for tool, readings in seen.items()}
    for tool in ("wrk", "h2load"):
        at_limit = [t for t in ("tickmark", tool) if busy[t] > AT_ITS_LIMIT]
        for key, what in (("rate", "requests/s"), ("p50", "median latency")):
            ratio = statistics.median(a[key] / b[key] for a, b in zip(own, seen[tool]))
            told = f"{ratio:.3f} (cores used: {busy['tickmark']:.2f}, {busy[tool]:.2f})"
            if at_limit:
                remark(f"{what}, tickmark / {tool}", f"{told}: {' and '.join(at_limit)} at the limit")
            else:
                good &= verdict(f"{what}, tickmark / {tool}", f"{1 - WITHIN:.2f} to {1 / (1 - WITHIN):.2f}", told,
                                1 - WITHIN <= ratio <= 1 / (1 - WITHIN))
    return good, {tool: {key: statistics.median(r[key] for r in readings) for key in ("rate", "p99")}
                  for tool, readings in seen.items()}


def within(name, expected_ms, seen_ms, share=0.05):
    return verdict(name, f"{expected_ms:.0f} ms within {share:.0%}", f"{seen_ms:.1f} ms",
                   abs(seen_ms / expected_ms - 1) <= share)


def judge_disagreement(url, pid, cpu, undisturbed):
    """The four generators on a server that is stopped in the middle."""
    rate = undisturbed["tickmark"]["rate"]
    rho = RATE / rate
    print(f"stopped once for {PAUSE_S} s in {WINDOW_S} s; undisturbed: {rate:,.0f} requests/s", flush=True)

    def stopped(run):
        with stopped_once(pid, WINDOW_S / 2, PAUSE_S) as lengths:
            result = run()
        return result, lengths[0]

    report, pause = stopped(lambda: load(url, "--rate", str(RATE), "--arrivals", "constant", "--connections",
                                         str(CONNECTIONS), "--duration", f"{WINDOW_S}s", "--cpu", str(cpu)))
    truth = stop_quantile_ms(pause, WINDOW_S, rho, 0.99)
    good = within("tickmark, open loop: p95", stop_quantile_ms(pause, WINDOW_S, rho, 0.95),
                  report["response_time_ns"]["p95"] / 1e6)
    good &= within("tickmark, open loop: p99", truth, report["response_time_ns"]["p99"] / 1e6)

    closed, _ = stopped(lambda: h2load(url, WINDOW_S, cpu))
    good &= verdict(f"h2load, closed: requests above {SLOW_MS} ms", str(CONNECTIONS), str(closed["slow"]),
                    abs(closed["slow"] - CONNECTIONS) <= 0.05 * CONNECTIONS)
    good &= judge_blind("h2load, closed", closed, undisturbed["h2load"]["p99"], truth)

    paced, _ = stopped(lambda: h2load(url, WINDOW_S, cpu, f"--rps={RATE // CONNECTIONS}"))
    good &= verdict(f"h2load --rps: requests above {SLOW_MS} ms", str(CONNECTIONS), str(paced["slow"]),
                    abs(paced["slow"] - CONNECTIONS) <= 0.05 * CONNECTIONS)
    good &= judge_blind("h2load --rps", paced, CONNECTIONS / rate * 1e3, truth)

    filled, pause = stopped(lambda: wrk(url, WINDOW_S, cpu))
    good &= within("wrk, closed and filled up: p99", (pause - 0.01 * (WINDOW_S + pause)) * 1e3, filled["p99"])
    return good


def judge_blind(name, seen, blind_ms, truth_ms):
    """p99 is that of a server that was never stopped, give or take the noise of a p99; far from the truth."""
    if seen["slow"] >= 0.01 * seen["count"]:
        return verdict(f"{name}: share that is slow", "below 1 %", f"{seen['slow'] / seen['count']:.2%}", False)
    return verdict(f"{name}: p99 (the truth: {truth_ms:.0f} ms)", f"about {blind_ms:.1f} ms, below {truth_ms / 10:.0f}",
                   f"{seen['p99']:.1f} ms", seen["p99"] < truth_ms / 10)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    add_broken(parser)
    options = parser.parse_args()
    use_broken(options.broken)
    for tool in ("wrk", "h2load"):
        if not shutil.which(tool):
            fail(f"{tool} is not installed; run scripts/install-dependencies --prove")
    cores = sorted(os.sched_getaffinity(0))
    good = True
    for name, (workload, path) in SERVERS.items():
        with server(name, workload, cpu=cores[0]) as one:
            url = f"http://127.0.0.1:{one.port}{path}"
            agrees, undisturbed = judge_agreement(f"{name} {path}", url, cores[-1], options.blocks)
            good &= agrees
            if workload == "hello":
                good &= judge_disagreement(url, one.pid, cores[-1], undisturbed)
    return conclude(good, options.broken, "tickmark, open loop")


if __name__ == "__main__":
    sys.exit(main())
