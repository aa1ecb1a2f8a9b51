"""Connectivity reports in plain Python, slow and obvious: what their tables must say. Written from the rules alone."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: The parts of all synapses that a report tells, in the order of its columns.
FRACTIONS = ("traced_presyn_frac", "traced_postsyn_frac", "traced_synweight_frac", "traced_conn_frac")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A T-bar or PSD that the snapshot has."""

    body: int
    roi: str
    is_tbar: bool


@dataclass(kw_only=True)
class NaiveReport:
    """What one report must say."""

    #: Points by id, and the pairs of T-bar and PSD.
    points: Mapping[int, Place]
    pairs: Sequence[tuple[int, int]]
    #: Status by body.
    statuses: Mapping[int, str]
    #: Statuses from the worst to the best; none where nobody knows their order.
    order: Sequence[str]
    #: The ROIs of the report; none for all synapses.
    rois: Collection[str] = ()
    stop_at_rank: int = 1_000_000
    #: Bodies that take a place in the ranking even without synapses.
    more_bodies: Collection[int] = ()
    capture_statuses: Collection[str] = ()

    inside: list[tuple[int, int]] = field(init=False)
    bodies: list[dict[str, Any]] = field(init=False)
    rows: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.inside = [pair for pair in self.pairs if all(map(self._counts, pair))]
        self.bodies = self._ranked()
        self.rows = self._traced()

    def _within(self, point: int) -> bool:
        return not self.rois or self.points[point].roi in self.rois

    def _counts(self, point: int) -> bool:
        return self._within(point) and self.points[point].body != 0

    def kinds(self) -> dict[str, int]:
        """How many T-bars and PSDs lie in its ROIs, whatever their partners."""
        found = Counter("PreSyn" if one.is_tbar else "PostSyn" for id_, one in self.points.items() if self._within(id_))
        return dict(found)

    def _status(self, body: int) -> str:
        return self.statuses.get(body, "")

    def _ranked(self) -> list[dict[str, Any]]:
        tbars: dict[int, set[int]] = {}
        psds: dict[int, set[int]] = {}
        outputs: Counter[int] = Counter()
        roi_out: dict[int, Counter[str]] = {}
        roi_in: dict[int, Counter[str]] = {}
        for pre, post in self.inside:
            one, other = self.points[pre], self.points[post]
            tbars.setdefault(one.body, set()).add(pre)
            psds.setdefault(other.body, set()).add(post)
            outputs[one.body] += 1
            roi_out.setdefault(one.body, Counter())[other.roi] += 1
            roi_in.setdefault(other.body, Counter())[other.roi] += 1
        found = []
        for body in {*tbars, *psds, *self.more_bodies} - {0}:
            presyn, postsyn = len(tbars.get(body, ())), len(psds.get(body, ()))
            told: dict[str, Any] = {
                "body": body,
                "presyn": presyn,
                "postsyn": postsyn,
                "outputpartners": outputs[body],
                "synweight": outputs[body] + postsyn,
            }
            told["status"] = self._status(body)
            for side, counts in (("output", roi_out.get(body)), ("input", roi_in.get(body))):
                roi, weight = min(counts.items(), key=lambda item: (-item[1], item[0])) if counts else (None, 0)
                told |= {f"top_{side}_roi": roi, f"top_{side}_roi_weight": weight}
            found.append(told)
        found.sort(key=self._place)
        return [{**told, "rank": rank} for rank, told in enumerate(found, start=1)]

    def _place(self, told: Mapping[str, Any]) -> tuple[int, ...]:
        status = self.order.index(told["status"]) if self.order else 0
        return (-status, -told["synweight"], -told["presyn"], -told["postsyn"], told["body"])

    def _traced(self) -> list[dict[str, Any]]:
        by_body = {told["body"]: told for told in self.bodies}
        of_all = {key: sum(told[key] for told in self.bodies) for key in ("presyn", "postsyn", "synweight")}
        found = []
        for pre, post in self.inside:
            bodies = self.points[pre].body, self.points[post].body
            ranks = tuple(by_body[body]["rank"] for body in bodies)
            if max(ranks) <= self.stop_at_rank:
                found.append((max(ranks), min(ranks), *bodies, pre, post, *ranks))
        found.sort()
        seen: set[int] = set()
        sums = dict.fromkeys(of_all, 0)
        rows = []
        for number, (most, least, body_pre, body_post, pre, post, pre_rank, post_rank) in enumerate(found, start=1):
            for body in {body_pre, body_post} - seen:
                sums = {key: sums[key] + by_body[body][key] for key in sums}
            seen |= {body_pre, body_post}
            last = body_post if post_rank > pre_rank else body_pre
            row = {
                "pre_id": pre,
                "post_id": post,
                "body_pre": body_pre,
                "body_post": body_post,
                "roi": self.points[post].roi,
                "body_pre_rank": pre_rank,
                "body_post_rank": post_rank,
                "min_rank": least,
                "max_rank": most,
                **{f"cumulative_traced_{key}": value for key, value in sums.items()},
                **{f"traced_{key}_frac": value / of_all[key] for key, value in sums.items()},
                "cumulative_traced_conn": number,
                "traced_conn_frac": number / len(self.inside),
                "body_max_rank": last,
            }
            of_last = dict(by_body[last])
            del of_last["body"]
            rows.append({**row, "synweight_max_rank": of_last.pop("synweight"), **of_last})
        return rows

    def capture(self) -> list[dict[str, Any]]:
        """How much of the output of each captured body ends on captured bodies."""
        captured = {body for body in self.statuses if self._status(body) in self.capture_statuses}
        ends: dict[int, list[bool]] = {}
        tbars: dict[int, set[int]] = {}
        for pre, post in self.pairs:
            body = self.points[pre].body
            if self._within(post) and body in captured:
                ends.setdefault(body, []).append(self.points[post].body in captured)
                tbars.setdefault(body, set()).add(pre)
        return [
            {
                "body_pre": body,
                "captured": sum(one),
                "not_captured": len(one) - sum(one),
                "downstream": len(one),
                "presyn": len(tbars[body]),
                "capture_frac": sum(one) / len(one),
            }
            for body, one in sorted(ends.items())
        ]

    def status_stats(self) -> dict[str, dict[str, float]]:
        """The parts that are traced when all bodies of a status are, from the best status on."""
        return {row["status"]: {key: row[key] for key in FRACTIONS} for row in self.rows}


def summaries(reports: Mapping[str, NaiveReport], order: Sequence[str]) -> list[dict[str, Any]]:
    """What stands in the table of all statuses: each status that some report has, for each report."""
    better = order[order.index("") + 1 :] if "" in order else order
    present = [one for one in reversed(better) if any(one in report.status_stats() for report in reports.values())]
    found = []
    for name, report in reports.items():
        last = dict.fromkeys(FRACTIONS, 0.0)
        stats = report.status_stats()
        for status in present:
            last = stats.get(status, last)
            found.append({"status": status, **last, "name": name})
    return found
