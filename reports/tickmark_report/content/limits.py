"""What the numbers do not tell."""
from tickmark_report import access
from tickmark_report.document import Bullets, Section


def section(bundle):
    cpus = access.number(bundle.machine, "cpus_online")
    cores = f"one machine with {cpus:g} CPUs" if cpus is not None else "one machine"
    items = [
        f"Client and subject share {cores} and talk over loopback: no network card, no loss, no delay, no second "
        "machine. Absolute numbers move to another machine badly; the order of subjects moves better.",
        "On few cores an architecture that needs many (threads, clusters, pools) cannot show what it does with them.",
        "Versions are what this system offered on that day, often older than the newest release; they are listed "
        "above, and a newer one may behave differently.",
        "Windows are short: what happens after minutes (collectors, fragmentation, thermal limits) is not in here.",
        "Every subject is idiomatic, not tuned to the last; tuned entries would be separate subjects.",
    ]
    if access.text(bundle.machine, "hypervisor"):
        items.append("The machine is virtual: neighbours that cannot be seen may have taken CPU time.")
    items += [f"{w.title}: {w.not_told}" for w in bundle.workloads if w.not_told]
    items += [f"{s.id}: {s.caveat}" for s in bundle.subjects if s.caveat]
    items += access.texts(bundle.machine, "warnings")
    return Section("limits", "What this does not tell you", [Bullets(list(dict.fromkeys(items)))])
