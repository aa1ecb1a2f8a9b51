"""What is wrong with a configuration whose every value is of the right kind."""

from engram.connectome.config.records import Config
from engram.connectome.config.shaping import Shaper


def check(config: Config, shaper: Shaper) -> None:
    """Note every problem of a completed configuration."""
    if not config.job_settings.snapshot_tag:
        message = "it is missing: nothing else names the snapshot"
        shaper.complain(shaper.places[()], ("job-settings", "snapshot-tag"), message)
