"""Numbers as people read them: three significant digits and a unit; nothing is rounded away silently before."""
import math

METRICS = {  # key in trials and analysis: (words, family whose validity counts, kind of unit)
    "throughput_per_s": ("throughput", "throughput", "rate"),
    "latency_ns_p50": ("response time p50", "latency", "time"),
    "latency_ns_p90": ("response time p90", "latency", "time"),
    "latency_ns_p99": ("response time p99", "latency", "time"),
    "latency_ns_p999": ("response time p99.9", "latency", "time"),
    "latency_ns_mean": ("response time, mean", "latency", "time"),
    "cpu_ns_per_request": ("CPU time per request", "cpu", "time"),
    "context_switches_per_request": ("context switches per request", "cpu", "plain"),
    "memory_bytes": ("memory", "memory", "bytes"),
    "memory_bytes_per_connection": ("memory per connection, user", "memory", "bytes"),
    "kernel_memory_bytes_per_connection": ("memory per connection, kernel", "memory", "bytes"),
}

_STEPS = {
    "time": ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns")),
    "bytes": ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")),
    "rate": ((1, "/s"),),
    "plain": ((1, ""),),
}


def digits(value):
    """Three significant digits, thousands grouped, no exponent: 1.23, 12.3, 123, 12,300."""
    if value == 0:
        return "0"
    places = 2 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    if abs(rounded) < 1e-6:
        return f"{rounded:.2e}"
    return f"{rounded:,.{max(0, places)}f}"


def _step(value, kind):
    for scale, unit in _STEPS[kind]:
        if abs(value) >= scale:
            return scale, unit
    return _STEPS[kind][-1]


def scaled(value, kind):
    """(scale, unit) that suits the value: divide by scale, print unit."""
    return _step(value, kind)


def quantity(value, kind):
    """'1.23 ms', '48,000/s', '12.3 KiB'."""
    scale, unit = _step(value, kind)
    return _joined(digits(value / scale), unit)


def _joined(number, unit):
    return f"{number}{unit}" if unit.startswith("/") else f"{number} {unit}".rstrip()


def with_interval(value, low, high, kind):
    """'1.23 ms [1.10, 1.31]', all three in the unit of the first."""
    scale, unit = _step(value, kind)
    text = _joined(digits(value / scale), unit)
    if low is None or high is None:
        return text
    return f"{text} [{digits(low / scale)}, {digits(high / scale)}]"


def ratio(value, low, high):
    """'1.42× [1.31, 1.55]'."""
    text = f"{factor(value)}×"
    return text if low is None or high is None else f"{text} [{factor(low)}, {factor(high)}]"


def factor(value):
    """Two decimals where they say something, three significant digits elsewhere: 0.0137, 1.42, 819."""
    return f"{value:.2f}" if 0.1 <= value < 100 else digits(value)


def axis_unit(values, kind):
    """(scale, unit) for an axis on which all these values are drawn."""
    largest = max((abs(value) for value in values), default=1)
    scale, unit = _step(largest, kind)
    if kind == "rate":
        return 1, "requests/s"
    return scale, unit


def thousands(value, _position=None):
    """Tick label of a count or rate: 48k, 1.2M, 500."""
    for scale, suffix in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= scale:
            return f"{value / scale:g}{suffix}"
    return f"{value:g}"


def duration(ns):
    """A length as planned: '700 ms', '2 s'."""
    return f"{ns / 1e9:g} s" if ns >= 1e9 else f"{ns / 1e6:g} ms"
