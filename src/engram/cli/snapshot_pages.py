"""What ``engram help`` tells about the configuration of a snapshot: every key, made from the records."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engram.cli.topic import Section, Topic
from engram.workspace.snapshots import connectome_extra

if TYPE_CHECKING:
    import msgspec

_CONFIG = (
    "A snapshot is built from a YAML file: that of flyem-snapshot, which is read as it is. Paths in it are relative to"
    " it. What is unknown or misspelt is an error that names what is nearest; everything that is wrong is told at once,"
    " with line and column. Plain words are what YAML 1.2 makes of them: no and NO are text, 1e6 is a number. Anchors"
    " and merge keys may be used. Keys that need a DVID server are taken, and refused only where something uses them."
    " A template with all keys: engram snapshot config --comments"
)
_META = (
    "What neuPrint shows of a dataset stands in a file of its own, which outputs.neuprint.meta names. A template with"
    " all keys: engram snapshot config --meta --comments"
)
_FORMULAS = (
    "Names of ROIs and properties of synapses may follow from a ROI's id, x. A name is text with braces, as in a Python"
    " f-string; a property is a Python expression. They are read by a small reader and never run: what is not listed"
    " here is refused."
)


def snapshot_config_page() -> Topic:
    """``engram help snapshot-config``."""
    with connectome_extra():
        from engram.connectome.config.records import Config  # here, because other help needs nothing of snapshots

        sections = (Section(text=_CONFIG), *_sections(Config, ""), *_of_formulas())
    return Topic(title="Configuration of a snapshot", sections=sections)


def neuprint_meta_page() -> Topic:
    """``engram help neuprint-meta``."""
    with connectome_extra():
        from engram.connectome.config.meta import Meta  # as above

        sections = (Section(text=_META), *_sections(Meta, ""))
    return Topic(title="Description of a dataset for neuPrint", sections=sections)


def _sections(kind: "type[msgspec.Struct]", path: str) -> Iterator[Section]:
    """A section for each record, with its keys: those that hold no record, or a list or mapping of them."""
    import msgspec

    from engram.connectome.config.shaping import hints_of
    from engram.connectome.config.templates import NAME, entry_kind, named_field
    from engram.model.notes import field_notes, plain

    hints, notes, record = hints_of(kind), field_notes(kind), kind()
    rows: list[tuple[str, str]] = []
    below: list[tuple[type[msgspec.Struct], str]] = []
    for field in msgspec.structs.fields(kind):
        value, inner = getattr(record, field.name), entry_kind(hints[field.name])
        here = f"{path}.{field.encode_name}" if path else field.encode_name
        if isinstance(value, msgspec.Struct):
            below.append((type(value), here))
            continue
        if field.name == named_field(kind):
            here, key = f"{path}.{NAME}", NAME
        else:
            key = field.encode_name
        if inner is not None and inner.__name__ != "Meta":
            is_list = isinstance(value, tuple)
            place = here if key == NAME else f"{here}[]" if is_list else f"{here}.{NAME}"
            below.append((inner, place))
        must = field.name in getattr(kind, "REQUIRED", ())
        form = "" if key == NAME else f"{_form(hints[field.name], value, must=must)} "
        rows.append((key, f"{form}{notes[field.name]}"))
    text = plain((kind.__doc__ or "").strip().partition("\n")[0])
    if rows:
        yield Section(title=path or "The file", text=text, rows=tuple(rows))
    for inner, place in below:
        yield from _sections(inner, place)


def _form(kind: Any, value: object, *, must: bool) -> str:  # noqa: ANN401 (a type, or an annotation around one)
    from engram.connectome.config.shaping import named
    from engram.connectome.config.writing import inline, plain_data

    default = inline(plain_data(value))
    shown = default if len(default) <= 60 else f"{default[:57]}..."
    text = f"{named(kind)}, must be given." if must else f"{named(kind)}, default {shown}."
    return text if text[0] == "'" or text.startswith("element") else text[0].upper() + text[1:]


def _of_formulas() -> Iterator[Section]:
    from engram.connectome.expressions import LONGEST
    from engram.connectome.operations import FUNCTIONS, LONGEST_TEXT, METHODS, MOST_BITS

    rows = (
        ("ME_R_col_{x // 100:02d}_{x % 100:02d}", "A name: of the id 1905 it is ME_R_col_19_05."),
        ("x // 100", "A property: of the id 1905 it is 19."),
        ("'left' if x < 1000 else 'right'", "A choice; also {1: 'a', 2: 'b'}[x] and ['a', 'b'][x - 1]."),
        ("+ - * / // % ** << >> & | ^ ~", "Arithmetic and bits; + and * of texts, too."),
        ("< <= == != > >= in, not in, and, or, not", "Comparisons, as Python has them."),
        (" ".join(sorted(FUNCTIONS)), "Functions."),
        (" ".join(sorted(METHODS)), "Methods, of text and (get) of a dictionary."),
        ("Limits", f"{LONGEST} characters; numbers of {MOST_BITS} bits; texts of {LONGEST_TEXT} characters."),
    )
    yield Section(title="Formulas", text=_FORMULAS, rows=rows)
