"""Draw how often each brightness occurs in an image.

    python3 histogram.py IMAGE.nii FIGURE.svg --bins 20

Source of the numbers below: the NIfTI-1 header, https://nifti.nimh.nih.gov/nifti-1
"""

import argparse
import gzip
import struct
from collections import Counter
from pathlib import Path

#: What a value is, by the code at byte 70, for `struct`.
_TYPES = {2: "B", 4: "h", 8: "i", 16: "f", 64: "d", 512: "H"}
_WIDTH, _HEIGHT = 480, 240


def brightness(path: Path) -> list[float]:
    """Every value of an image."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    order = "<" if struct.unpack_from("<i", data)[0] == 348 else ">"
    sizes = struct.unpack_from(f"{order}8h", data, 40)
    (code,) = struct.unpack_from(f"{order}h", data, 70)
    (start,) = struct.unpack_from(f"{order}f", data, 108)
    count = 1
    for size in sizes[1 : 1 + sizes[0]]:
        count *= size
    return list(struct.unpack_from(f"{order}{count}{_TYPES[code]}", data, int(start)))


def drawing(values: list[float], bins: int) -> str:
    """A bar for each of so many ranges of brightness, as high as the number of values in it; zeros left out."""
    kept = [value for value in values if value > 0]
    widest = max(kept)
    counts = Counter(min(int(value / widest * bins), bins - 1) for value in kept)
    highest = max(counts.values())
    step = _WIDTH / bins
    bars = [
        f'<rect x="{place * step:.1f}" y="{_HEIGHT - number / highest * _HEIGHT:.1f}" width="{step * 0.9:.1f}"'
        f' height="{number / highest * _HEIGHT:.1f}"/>'
        for place, number in sorted(counts.items())
    ]
    size = f'width="{_WIDTH}" height="{_HEIGHT}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} fill="#4477aa">', *bars, "</svg>", ""])


def main() -> None:
    """Read the image, write the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("figure", type=Path)
    parser.add_argument("--bins", type=int, default=20)
    arguments = parser.parse_args()
    arguments.figure.parent.mkdir(parents=True, exist_ok=True)
    arguments.figure.write_text(drawing(brightness(arguments.image), arguments.bins))


if __name__ == "__main__":
    main()
