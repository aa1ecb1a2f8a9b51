"""What reports name, and the tables do not have."""

from collections.abc import Iterator, Mapping, Sequence

from engram.connectome.config.outputs import ReportSet
from engram.connectome.rois import Lookup
from engram.connectome.sql import UNSPECIFIED
from engram.model.errors import BadTables
from engram.model.nearest import nearest_of


def check_reports(reports: Sequence[ReportSet], lookups: Mapping[str, Lookup]) -> None:
    """Look for the ROIs of reports among those of the tables. Raises `BadTables` with all that are not there."""
    if problems := tuple(_unknown_rois(reports, lookups)):
        raise BadTables(problems)


def _unknown_rois(reports: Sequence[ReportSet], lookups: Mapping[str, Lookup]) -> Iterator[str]:
    for wanted in reports:
        rois = lookups[wanted.roiset].rois
        known = {*rois.names, *rois.labels}
        for report in wanted.reports:
            for roi in report.rois:
                if roi not in known:
                    near = nearest_of(roi, known - {UNSPECIFIED}) if known - {UNSPECIFIED} else ""
                    yield f"report {report.name}: ROI set {wanted.roiset} has no ROI {roi}{near}"
