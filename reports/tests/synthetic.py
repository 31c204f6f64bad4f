"""Writes a bundle that looks like a quick run of seven subjects and has everything in it that can go wrong.

No number here was measured: it exists so that the report's tests need no run. Same seed, same bytes.
"""
import base64
import hashlib
import json
import math
import pathlib
import random
import statistics
import struct
import sys
import zlib

HOSTILE = "<script>alert('x')</script>"
PRECISION = 10

SUBJECTS = [  # id, title, colour, relative cost
    ("reference_loop", "reference loop", "#332288", 1.0),
    ("thread_per_connection", "thread per connection", "#cc6677", 1.9),
    ("cluster", "cluster", "#aa4499", 1.05),
    ("raw_epoll", "raw epoll", "#000000", 0.93),
    ("libuv", "libuv", "#56b4e9", 1.12),
    ("node", "Node.js", "#117733", 3.1),
    ("node_cluster", "Node.js cluster", "#999933", 3.6),
]
FAMILY = {"throughput_per_s": "throughput", "cpu_ns_per_request": "cpu", "context_switches_per_request": "cpu",
          "memory_bytes": "memory", "memory_bytes_per_connection": "memory",
          "kernel_memory_bytes_per_connection": "memory"}
UNITS = {"throughput_per_s": "1/s", "context_switches_per_request": "", "memory_bytes": "bytes",
         "memory_bytes_per_connection": "bytes", "kernel_memory_bytes_per_connection": "bytes"}
RULES = {
    "timers": ["equal_deadlines_fire_in_start_order", "never_fire_early", "shorter_deadline_fires_first",
               "zero_delay_runs_in_the_next_iteration", "repeat_rearms_after_its_callback", "stopped_never_fires",
               "restarted_in_callback_waits_a_turn", "refresh_moves_the_deadline", "interval_keeps_its_order",
               "started_in_callback_not_run_in_the_same_pass"],
    "phases": ["check_follows_poll", "closing_comes_last", "idle_before_prepare", "immediate_before_timer_from_poll",
               "initial_timers_run_before_poll", "prepare_before_poll", "pending_before_idle",
               "timers_after_update_time"],
    "ticks": ["tick_queue_drains_before_microtasks", "ticks_run_in_order", "nested_tick_runs_in_the_same_drain",
              "tick_runs_before_promise", "drain_after_each_callback", "tick_thrown_does_not_stop_the_queue"],
    "microtasks": ["microtask_in_tick_runs_after_ticks", "microtasks_run_in_order", "nested_microtask_same_drain",
                   "promise_and_microtask_share_one_queue", "await_resumes_as_microtask"],
    "immediates": ["immediates_run_in_order", "nested_immediate_waits_a_turn", "cleared_immediate_never_runs",
                   "tick_between_immediates"],
    "pool": ["completions_on_loop_thread", "cancel_before_start_is_reported", "completes_exactly_once",
             "four_run_at_once", "completion_order_of_equal_work", "after_callback_sees_result"],
    "streams": ["close_after_write_keeps_bytes", "eof_comes_once", "read_never_during_listen",
                "write_callbacks_in_order", "shutdown_after_writes", "connect_error_is_asynchronous"],
    "closing": ["close_callback_is_asynchronous", "close_callbacks_in_order", "closed_handle_runs_nothing_more",
                "close_in_callback_runs_same_turn"],
    "liveness": ["unref_lets_the_loop_end", "ref_keeps_it_alive", "stop_ends_after_this_turn", "active_request_keeps"],
}
GENERIC = ["callbacks_never_overlap", "phases_keep_their_cycle", "timers_never_early", "requests_complete_once"]


def encode_histogram(values):
    """HdrHistogram V2, as harness/stats/hdr_codec.cpp writes it."""
    counts = {}
    for value in values:
        octave = max(0, int(value).bit_length() - PRECISION - 1)
        index = (octave << PRECISION) + (int(value) >> octave)
        counts[index] = counts.get(index, 0) + 1
    out, at = bytearray(), 0

    def put(number):
        rest = (number << 1) ^ (number >> 63) if number >= 0 else ((-number) << 1) - 1
        while rest > 0x7F:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
    for index in sorted(counts):
        if index - at == 1:
            put(0)
        elif index > at:
            put(-(index - at))
        put(counts[index])
        at = index + 1
    payload = struct.pack(">IIIIqqd", 0x1C849313, len(out), 0, 3, 1, (1 << 37) - 1, 1.0) + bytes(out)
    packed = zlib.compress(payload)
    return base64.b64encode(struct.pack(">II", 0x1C849314, len(packed)) + packed).decode()


def cells(subjects):
    names = [s[0] for s in subjects]

    def cell(name, workload, loop, connections, share=None, variant="", rate=None, blocks=6, scenario="orderly",
             placement="isolated", probe=False, ms=600):
        speaks = [n for n in names if n != "raw_epoll" or workload == "sockets"]
        main = {"name": "heavy" if probe else "main", "variant": variant, "connections": connections, "loop": loop,
                "arrivals": "poisson" if loop == "open" else "closed"}
        found = {"id": name, "workload": workload, "variant": variant, "scenario": scenario, "loop": loop,
                 "connections": connections, "placement": placement, "blocks": blocks, "warmup_ns": 150_000_000,
                 "duration_ns": ms * 1_000_000, "params": {"size": "64"} if workload == "sockets" else {},
                 "lanes": [main], "subjects": speaks,
                 "skipped": [{"subject": "deno", "reason": "deno is not installed"}]
                 + [{"subject": n, "reason": "speaks sockets only"} for n in names if n not in speaks]}
        if rate:
            found["rate_per_s"] = main["rate_per_s"] = rate
        if share:
            found["capacity_share"] = share
        if probe:
            found["lanes"].append({"name": "probe", "variant": "probe", "connections": 32, "loop": "open",
                                   "arrivals": "poisson", "rate_per_s": 2000.0})
        return found

    shares = [(0.1, 3), (0.3, 3), (0.6, 6), (0.9, 3), (1.2, 3)]
    return [cell(f"sockets/open/5000/{share * 100:g}", "sockets", "open", 5000, share, rate=round(81000 * share, -2),
                 blocks=blocks) for share, blocks in shares] + [
        cell("sockets/closed/5000", "sockets", "closed", 5000), cell("sockets/closed/64", "sockets", "closed", 64),
        cell("sockets/storm/5000", "sockets", "closed", 5000, blocks=2, scenario="storm"),
        cell("fs/mix/open/64/20", "fs", "open", 64, 0.2, "mix", 3310.0),
        cell("crypto/mix/open/64/50", "crypto", "open", 64, 0.5, "mix", 610.0, placement="shared"),
        cell("cpu/inline/open/8/40", "cpu", "open", 8, 0.4, "inline", 41.0, placement="shared", probe=True),
        cell("cpu/offload/open/8/40", "cpu", "open", 8, 0.4, "offload", 41.0, placement="shared", probe=True)]


def plan(subjects, seed, hostile):
    listed = [{"id": i, "name": i, "title": t, "says": f"How {t} works, in a sentence.", "colour": c,
               "available": True, "reason": "", "install": "", "caveat": "sockets only: the floor" if i == "raw_epoll"
               else "", "versions": {i: "1.2.3", "openssl": "3.0.15"}, "options": {"pool": "4"},
               "workloads": ["sockets"] if i == "raw_epoll" else ["sockets", "fs", "crypto", "cpu"]}
              for i, t, c, _ in subjects]
    listed.append({"id": "deno", "name": "deno", "title": "Deno", "says": "", "colour": "#ddcc77", "available": False,
                   "reason": "deno is not on PATH", "install": "see deno's own page", "versions": {}, "options": {}})
    if hostile:
        listed[-2]["title"] += HOSTILE
        listed[-2]["caveat"] = HOSTILE + " $x_1$ \u001b[31m \ud800 & \"quotes\""
        listed[-2]["versions"] = {"engine" + HOSTILE: HOSTILE}
    made = {"schema": "tickmark.plan/1",
            "tool": {"name": "tickmark", "version": "0.1.0", "git": "a1b2c3d", "build_type": "Release",
                     "compiler": "gcc 12.2.0"},
            "suite": "quick", "seed": seed, "created_utc": "2026-11-21T03:00:00Z",
            "command": f"tickmark run --suite quick --seed {seed}", "hash": "", "reference_subject": subjects[0][0],
            "blocks": 6, "estimated_measured_s": 455.0,
            "calibration": {"subject": subjects[0][0], "sockets_5000": {"capacity_per_s": 81234.0}},
            "rerun_rule": "a trial that is invalid in the first pass is repeated once, at the end",
            "subjects": listed,
            "workloads": [{"id": w, "title": t, "says": f"What does {t} cost?", "kind": "http",
                           "not_told": f"{t}: loopback has no loss and no delay."}
                          for w, t in (("sockets", "Sockets"), ("fs", "Files"), ("crypto", "Cryptography"),
                                       ("cpu", "Busy CPU"))],
            "cells": cells(subjects),
            "conformance": {"subjects": [s[0] for s in subjects], "rules": 53, "repeat": 20,
                            "background_connections": 5000}}
    schedule, shuffle = [], random.Random(seed)
    for block in range(6):
        order = [c for c in made["cells"] if block < c["blocks"]]
        shuffle.shuffle(order)
        for c in order:
            names = list(c["subjects"])
            shuffle.shuffle(names)
            for name in names:
                schedule.append({"trial": len(schedule), "block": block, "cell": c["id"], "subject": name,
                                 "seed": seed + len(schedule)})
    made["schedule"] = schedule
    made["hash"] = hashlib.sha256(json.dumps(made).encode()).hexdigest()
    return made


def _latencies(rng, cell, subject, cost):
    """A made-up tail: log-normal, heavier the nearer the rate is to the subject's knee."""
    if cell["workload"] == "cpu":
        one = subject in ("thread_per_connection", "cluster", "node_cluster")
        blocked = "inline" in cell["variant"] and not one
        base = [rng.lognormvariate(math.log(60e3 * cost), 0.3) for _ in range(1200)]
        return [b + (rng.uniform(0, 9e6) if blocked and rng.random() < 0.38 else 0) for b in base]
    rate = (cell.get("capacity_share") or 0.5) * cost * 0.75
    spread = 0.25 + 0.25 * rate
    base = 70e3 * cost / max(0.08, 1 - min(rate, 0.92)) * (4 if cell["workload"] == "crypto" else 1)
    values = [rng.lognormvariate(math.log(base), spread) for _ in range(2500)]
    if rate > 1:  # the queue grows over the window
        values = [v + 6e8 * (rate - 1) * i / len(values) for i, v in enumerate(values)]
    return values


def _quantile(ordered, q):
    return ordered[min(len(ordered) - 1, max(0, math.ceil(q * len(ordered)) - 1))]


def trial(rng, entry, cell, cost, log):
    subject, storm = entry["subject"], cell["scenario"] == "storm"
    record = {"schema": "tickmark.trial/1", "trial": entry["trial"], "block": entry["block"], "cell": cell["id"],
              "subject": subject, "workload": cell["workload"], "placement": cell["placement"], "seed": entry["seed"],
              "started_utc": "2026-11-21T03:01:00Z", "wall_s": 1.41, "status": "ok", "reason": ""}
    if subject == "node_cluster" and cell["id"] == "crypto/mix/open/64/50":
        return record | {"status": "crashed", "reason": "ended by signal 11 (SIGSEGV) before it was ready",
                         "exit": {"code": 0, "signal": 11}, "stderr": "boom " + HOSTILE + "\n"}
    values = sorted(_latencies(rng, cell, subject, cost))
    block_factor = rng.lognormvariate(0, 0.03)
    values = [v * block_factor for v in values]
    lane_name = "probe" if len(cell["lanes"]) > 1 else "main"
    offered = cell["lanes"][-1].get("rate_per_s")
    done = offered or 88000 / cost * (1.3 if cell["connections"] == 64 else 1) * block_factor
    saturated = bool(offered) and (cell.get("capacity_share") or 0) * cost * 0.75 > 1
    if saturated:
        done = offered / (cell["capacity_share"] * cost * 0.75)
        record |= {"status": "saturated", "reason": f"lane main: {done:.0f} of {offered:.0f} scheduled requests/s were "
                   "answered; the queue grew"}
    metrics = {"throughput_per_s": done, "scheduled_per_s": offered or done,
               "latency_ns_mean": statistics.fmean(values),
               "latency_ns_max": values[-1], "cpu_ns_per_request": 9200 * cost * block_factor, "cpu_share": 0.7,
               "context_switches_per_request": 0.01 * cost, "memory_bytes": int(9e6 * cost),
               "memory_bytes_per_connection": {"thread_per_connection": 21500, "node": 3900, "node_cluster": 4300}.get(
                   subject, 420) * block_factor,
               "kernel_memory_bytes_per_connection": (28000 if "thread" in subject else 9800) * block_factor,
               "processes": 1, "threads": 5}
    if offered:
        metrics["offered_per_s"] = offered
    for key, q in (("p50", .5), ("p90", .9), ("p95", .95), ("p99", .99), ("p999", .999)):
        if len(values) * (1 - q) >= 10:
            metrics[f"latency_ns_{key}"] = int(_quantile(values, q))
    validity = {family: {"valid": not (storm and family != "memory"), "reasons": []}
                for family in ("latency", "throughput", "cpu", "memory")}
    if rng.random() < 0.05 or cell["id"] == "sockets/open/5000/90" and subject == "cluster":
        why = f"other programs used {rng.uniform(6, 30):.1f} % of this machine's CPU during the window (allowed: 5 %)"
        for family in ("latency", "throughput"):
            validity[family] = {"valid": False, "reasons": [why]}
    window = cell["duration_ns"]
    series = [{"start_ns": i * 100_000_000, "completed": int(done / 10 * rng.uniform(0.93, 1.05)), "errors": 0,
               "latency_ns_p50": int(_quantile(values, .5)), "latency_ns_max": int(values[-1]),
               "latency_ns_p99": int(_quantile(values, .99) * rng.lognormvariate(0, 0.2))}
              for i in range(window // 100_000_000)]
    starved = {"node": 1800, "node_cluster": 2300, "libuv": 240}.get(subject, 0) if storm else 0
    counts = {"scheduled": int(done), "completed": int(done), "errors": 0, "timeouts": 0, "in_flight": 0, "unsent": 0}
    lane = {"name": lane_name, "counts": counts, "connections_requested": cell["connections"],
            "connections_established": cell["connections"], "connections_lost": 3 if starved else 0,
            "connections_never_served": int(starved * rng.uniform(.9, 1.1)),
            "oldest_unanswered_ns": int(5e8 * rng.uniform(.9, 1.1)) if starved else 0, "little_error": 1e-5,
            "achieved_per_s": done, "scheduled_per_s": offered or done, "wrong_replies": 0, "series": series,
            "response_time_ns": {"count": len(values)}, "service_time_ns": {"p50": int(_quantile(values, .4))}}
    log.append(f"Tag=t{entry['trial']}.{lane_name}.response,0.000,0.600,1.000,{encode_histogram(values)}\n")
    if saturated:
        record["lower_bounds"] = ["latency_ns_p99"]
        tail = encode_histogram([6e8] * 40)
        log.append(f"Tag=t{entry['trial']}.{lane_name}.censored,0.000,0.600,1.000,{tail}\n")
    record |= {"metrics": metrics, "validity": validity, "lanes": [lane],
               "client": {"cpu_utilisation": 0.4, "lateness_ns_p99": 40000, "late_share": 0.001},
               "environment": {"foreign_cpu_share": 0.01, "steal_share": 0.0, "listen_overflows": 0, "retransmits": 0},
               "exit": {"code": 0, "signal": 0}}
    return record


def analysis(made, trials):
    """Shaped like harness/output/analysis.cpp's; the interval is the range, which a test need not improve on."""
    values = {}
    for t in trials:
        for key, value in (t.get("metrics") or {}).items():
            family = FAMILY.get(key, "latency")
            if t["status"] in ("ok", "saturated") and t["validity"][family]["valid"]:
                values.setdefault((t["cell"], key), {}).setdefault(t["subject"], {})[t["block"]] = value
    found = []
    for (cell, key), by_subject in values.items():
        if key not in FAMILY and not key.startswith("latency_ns_p") and key != "latency_ns_mean":
            continue
        base = by_subject.get(made["reference_subject"], {})
        for subject in sorted(by_subject):
            blocks = list(by_subject[subject].values())
            line = {"cell": cell, "metric": key, "unit": UNITS.get(key, "ns"),
                    "better": "higher" if key == "throughput_per_s" else "lower", "subject": subject,
                    "blocks_valid": len(blocks), "blocks_planned": 6, "median": statistics.median(blocks),
                    "estimate": statistics.median(blocks), "note": ""}
            if len(blocks) >= 6:
                line |= {"low": min(blocks), "high": max(blocks)}
            else:
                line["note"] = f"only {len(blocks)} valid blocks: no interval"
            pairs = [by_subject[subject][b] / base[b] for b in by_subject[subject] if base.get(b)]
            if subject != made["reference_subject"] and pairs:
                line |= {"pairs": len(pairs), "ratio": statistics.median(pairs)}
                if len(pairs) >= 6:
                    line |= {"ratio_low": min(pairs), "ratio_high": max(pairs),
                             "distinguishable": not min(pairs) <= 1 <= max(pairs)}
            found.append(line)
    return {"schema": "tickmark.analysis/1", "reference_subject": made["reference_subject"], "confidence": 0.95,
            "method": "Hodges-Lehmann over blocks", "plan_hash": made["hash"], "comparisons": found}


def verdicts(subjects, rng):
    found = []
    for folder, names in RULES.items():
        for index, name in enumerate(names):
            for subject, *_ in subjects:
                if subject == "raw_epoll":
                    continue
                verdict, level = "pass", ("must", "must", "must", "should")[index % 4]
                if folder in ("ticks", "microtasks", "immediates") and subject in ("libuv", "cluster"):
                    verdict = "unsupported"
                elif rng.random() < 0.05 and subject != subjects[0][0]:
                    verdict = rng.choice(["fail", "fail", "inconclusive", "inapplicable", "hang", "crash"])
                found.append(_verdict(f"{folder}/{name}", subject, level, verdict, "idle"))
    found += [_verdict(f"generic/{name}", subjects[0][0], "must", "vacuous" if "once" in name else "pass", "background")
              for name in GENERIC]
    for one in [one for one in found if one["verdict"] == "fail"][:1]:
        one["known"] = "an old fault of its own"
    return found


def _verdict(rule, subject, level, verdict, condition):
    bad = verdict in ("fail", "hang", "crash")
    return {"schema": "tickmark.verdict/1", "rule": rule, "subject": subject, "level": level, "layer": "loop",
            "says": rule.rpartition("/")[2].replace("_", " ").capitalize() + ".", "source": "libuv documentation",
            "verdict": verdict, "reason": {"unsupported": "no verb tick", "pass": ""}.get(verdict, f"why {HOSTILE}"),
            "runs": 20, "applicable": 20, "failed": 3 if bad else 0, "required": ["a < b"] if bad else [],
            "seen": ["b", "a"] if bad else [], "reproduce": f"tickmark conform {subject} --rule {rule}",
            "condition": condition}


MACHINE = {"schema": "tickmark.machine/1", "cpu_model": "Synthetic CPU @ 2.50GHz", "cpus_online": 2, "smt": "off",
           "governor": "performance", "hypervisor": "kvm", "memory_bytes": 8 << 30, "kernel": "6.1.0-28-amd64",
           "mitigations": "mitigated", "clocksource": "kvm-clock", "os_release": "Debian GNU/Linux 12 (bookworm)",
           "nofile_soft": 1024, "nofile_hard": 1048576, "load_average": 0.1, "clock_read_ns": 24,
           "timer_lateness_ns_p50": 52000, "timer_lateness_ns_p99": 61000,
           "warnings": ["the machine is virtual: neighbours may take its CPU"], "comparable": True}


def write(folder, count=len(SUBJECTS), seed=8431, hostile=True):
    """The whole bundle; tests then break what they want broken."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng, subjects = random.Random(seed), SUBJECTS[:count]
    made = plan(subjects, seed, hostile)
    by_cell, cost = {c["id"]: c for c in made["cells"]}, {s[0]: s[3] for s in subjects}
    log = ["#[Histogram log format version 1.3]\n", "#[StartTime: 1795230000.000 (seconds since epoch)]\n",
           '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n']
    trials = [trial(rng, entry, by_cell[entry["cell"]], cost[entry["subject"]], log) for entry in made["schedule"]]

    def lines(records):
        return "".join(json.dumps(record) + "\n" for record in records)
    (folder / "plan.json").write_text(json.dumps(made, indent=1))
    (folder / "machine.json").write_text(json.dumps(MACHINE))
    (folder / "trials.ndjson").write_text(lines(trials))
    (folder / "histograms.hlog").write_text("".join(log))
    (folder / "conformance.ndjson").write_text(lines(verdicts(subjects, rng)))
    (folder / "analysis.json").write_text(json.dumps(analysis(made, trials)))
    (folder / "end.json").write_text(json.dumps({"schema": "tickmark.end/1", "status": "complete"}))
    return folder


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else len(SUBJECTS))
