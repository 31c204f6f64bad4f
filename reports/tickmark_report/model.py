"""What a bundle holds, as plain objects: subjects, workloads, cells, trials, verdicts, comparisons.

Every constructor takes JSON of unknown quality and gives an object whose attributes have the kind they should.
"""
import dataclasses

from tickmark_report import access

COUNTING = ("ok", "saturated")  # statuses whose metrics count; a saturated point is an honest one
VIOLATIONS = ("fail", "hang", "crash")


@dataclasses.dataclass
class Subject:
    id: str
    title: str
    says: str
    colour: str
    available: bool
    reason: str
    install: str
    caveat: str
    versions: dict
    options: dict
    workloads: list

    @classmethod
    def of(cls, entry):
        name = access.text(entry, "id") or access.text(entry, "name") or "(no name)"
        return cls(name, access.text(entry, "title", name), access.text(entry, "says"), access.text(entry, "colour"),
                   access.flag(entry, "available", True), access.text(entry, "reason"), access.text(entry, "install"),
                   access.text(entry, "caveat"), access.text_map(entry, "versions"), access.text_map(entry, "options"),
                   access.texts(entry, "workloads"))


@dataclasses.dataclass
class Workload:
    id: str
    title: str
    says: str
    not_told: str

    @classmethod
    def of(cls, entry):
        name = access.text(entry, "id")
        return cls(name, access.text(entry, "title", name), access.text(entry, "says"), access.text(entry, "not_told"))


@dataclasses.dataclass
class Cell:
    id: str
    workload: str
    variant: str
    scenario: str
    loop: str
    connections: int
    rate_per_s: float | None
    capacity_share: float | None
    placement: str
    blocks: int
    warmup_ns: int
    duration_ns: int
    params: dict
    lanes: list
    subjects: list
    skipped: list

    @classmethod
    def of(cls, entry):
        skipped = [(access.text(s, "subject"), access.text(s, "reason")) for s in access.objects(entry, "skipped")]
        return cls(access.text(entry, "id"), access.text(entry, "workload"), access.text(entry, "variant"),
                   access.text(entry, "scenario", "orderly"), access.text(entry, "loop", "closed"),
                   access.integer(entry, "connections"), access.amount(entry, "rate_per_s"),
                   access.amount(entry, "capacity_share"), access.text(entry, "placement"),
                   access.integer(entry, "blocks"), access.integer(entry, "warmup_ns"),
                   access.integer(entry, "duration_ns"), access.text_map(entry, "params"),
                   access.objects(entry, "lanes"), access.texts(entry, "subjects"), skipped)

    @property
    def storm(self):
        return self.scenario == "storm"

    @property
    def open(self):
        return self.loop == "open" and not self.storm

    @property
    def closed(self):
        return self.loop == "closed" and not self.storm

    @property
    def probed(self):
        """True where a light stream is measured beside heavy requests."""
        return any(access.text(lane, "name") == "probe" for lane in self.lanes)

    @property
    def headline_lane(self):
        return "probe" if self.probed else "main"

    @property
    def headline_rate_per_s(self):
        """The arrival rate of the headline lane, None in a closed loop."""
        for lane in self.lanes:
            if access.text(lane, "name") == self.headline_lane and access.amount(lane, "rate_per_s") is not None:
                return access.amount(lane, "rate_per_s")
        return self.rate_per_s


@dataclasses.dataclass
class Trial:
    trial: int
    block: int
    cell: str
    subject: str
    status: str
    reason: str
    metrics: dict
    validity: dict
    lanes: list
    client: dict
    environment: dict
    stderr: str
    lower_bounds: list

    @classmethod
    def of(cls, entry):
        return cls(access.integer(entry, "trial"), access.integer(entry, "block"), access.text(entry, "cell"),
                   access.text(entry, "subject"), access.text(entry, "status", "unknown"),
                   access.text(entry, "reason"), access.member(entry, "metrics"), access.member(entry, "validity"),
                   access.objects(entry, "lanes"), access.member(entry, "client"), access.member(entry, "environment"),
                   access.text(entry, "stderr"), access.texts(entry, "lower_bounds"))

    @property
    def counts(self):
        return self.status in COUNTING

    def metric(self, key):
        return access.amount(self.metrics, key)

    def valid(self, family):
        """True where this trial's metrics of the family may be used."""
        return self.counts and access.flag(access.member(self.validity, family), "valid")

    def reasons(self, family):
        """Why they may not, or what to know about them."""
        reasons = access.texts(access.member(self.validity, family), "reasons")
        return [self.reason] + reasons if self.reason and not self.counts else reasons

    def lane(self, name):
        return next((lane for lane in self.lanes if access.text(lane, "name") == name), {})


@dataclasses.dataclass
class Verdict:
    rule: str
    subject: str
    says: str
    level: str
    layer: str
    source: str
    verdict: str
    reason: str
    runs: int
    applicable: int
    failed: int
    required: list
    seen: list
    reproduce: str
    condition: str
    known: str  # why this violation is expected; empty: it is not

    @classmethod
    def of(cls, entry):
        words = [access.text(entry, key) for key in ("rule", "subject", "says", "level", "layer", "source")]
        numbers = [access.integer(entry, key) for key in ("runs", "applicable", "failed")]
        return cls(*words, access.text(entry, "verdict", "unknown"), access.text(entry, "reason"), *numbers,
                   access.texts(entry, "required"), access.texts(entry, "seen"), access.text(entry, "reproduce"),
                   access.text(entry, "condition", "idle"), access.text(entry, "known"))

    @property
    def violation(self):
        return self.verdict in VIOLATIONS and self.level in ("must", "should", "")


@dataclasses.dataclass
class Comparison:
    """One line of analysis.json: the only source of intervals and ratios."""
    cell: str
    metric: str
    unit: str
    better: str
    subject: str
    blocks_valid: int
    blocks_planned: int
    median: float | None
    estimate: float | None
    low: float | None
    high: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    distinguishable: bool
    note: str

    @classmethod
    def of(cls, entry):
        words = [access.text(entry, key) for key in ("cell", "metric", "unit", "better", "subject")]
        value = {key: access.amount(entry, key) for key in
                 ("median", "estimate", "low", "high", "ratio", "ratio_low", "ratio_high")}
        for low, high in (("low", "high"), ("ratio_low", "ratio_high")):
            if value[low] is None or value[high] is None:  # half an interval is none
                value[low] = value[high] = None
        return cls(*words, access.integer(entry, "blocks_valid"), access.integer(entry, "blocks_planned"),
                   *value.values(),
                   access.flag(entry, "distinguishable"), access.text(entry, "note"))

    @property
    def value(self):
        return self.estimate if self.estimate is not None else self.median


def subjects_of(plan):
    """The plan's subjects, the reference first: everybody is compared with it."""
    reference = access.text(plan, "reference_subject")
    found = [Subject.of(entry) for entry in access.objects(plan, "subjects")]
    return sorted(found, key=lambda subject: subject.id != reference)


def add_unplanned_subjects(bundle):
    """Conformance may judge a subject that no cell measures; it gets its line and its colour, too."""
    known = {subject.id for subject in bundle.subjects}
    for name in [t.subject for t in bundle.trials] + [v.subject for v in bundle.verdicts]:
        if name and name not in known:
            known.add(name)
            bundle.subjects.append(Subject.of({"id": name}))
