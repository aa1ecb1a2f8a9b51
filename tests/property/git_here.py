"""What the git here does otherwise than others."""

import os
from functools import cache

from engram.datasets.programs import Programs


@cache
def starts_anew() -> bool:
    """Whether it takes the pattern of a path anew from its first wildcard on."""
    return Programs(environment=os.environ).git_version(".") < (2, 52)
