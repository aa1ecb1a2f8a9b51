"""What a Neuropixels probe is called, by its part number.

Source: https://github.com/billkarsh/ProbeTable (part numbers);
https://billkarsh.github.io/SpikeGLX/Sgl_help/Metadata_Help.html (``imDatPrb_type``).
"""

from functools import lru_cache

_NAMES = {
    "NP10": "Neuropixels 1.0",
    "NP11": "Neuropixels Ultra",
    "NP12": "Neuropixels NHP 128 channels",
    "NP13": "Neuropixels Opto",
    "NP14": "Neuropixels Opto",
    "NP23": "Neuropixels Opto",
    "NP30": "Neuropixels NXT",
    "PRB_": "Neuropixels 1.0",
    "PRB2_1_": "Neuropixels 2.0",
    "PRB2_4_": "Neuropixels 2.0 four-shank",
    "NP101": "Neuropixels 1.0 NHP short",
    "NP102": "Neuropixels 1.0 NHP medium",
    "NP103": "Neuropixels 1.0 NHP long",
    "NP104": "Neuropixels 1.0 NHP long",
    "NP105": "Neuropixels 1.0 NHP long",
    "NP2000": "Neuropixels 2.0",
    "NP2003": "Neuropixels 2.0",
    "NP2004": "Neuropixels 2.0",
    "NP2005": "Neuropixels 2.0 NHP short",
    "NP2006": "Neuropixels 2.0 NHP short",
    "NP201": "Neuropixels 2.0 four-shank",
    "NP202": "Neuropixels 2.0 quad-base",
}
#: For metadata from before part numbers were written.
_TYPES = {"0": "Neuropixels 1.0", "21": "Neuropixels 2.0", "24": "Neuropixels 2.0 four-shank"}


@lru_cache(maxsize=256)
def probe_name(part: str, kind: str) -> str:
    """The probe's name; phase 3A wrote neither part number nor type.

    >>> probe_name("NP1015", "0"), probe_name("PRB2_4_2_0640_0", "24"), probe_name("", "")
    ('Neuropixels 1.0 NHP short', 'Neuropixels 2.0 four-shank', 'Neuropixels 3A')
    """
    part, kind = part[:40], kind[:40]
    if not part and not kind:
        return "Neuropixels 3A"
    for length in range(len(part), 3, -1):
        if name := _NAMES.get(part[:length]):
            return name
    return _TYPES.get(kind, f"Neuropixels type {kind}" if kind else part)
