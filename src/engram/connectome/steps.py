"""The steps of a build as data: what each needs, what it depends on, and what makes it another one."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Doer = TypeVar("Doer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[Doer]):
    """One step. It is carried out again when its version, what it needs or its part of the configuration changes."""

    #: What it makes: tables of the work file, or a folder of the snapshot.
    name: str
    #: Names of the steps and of the input tables that it reads.
    needs: tuple[str, ...]
    #: The parts of the configuration that it reads, as ``inputs.synapses``.
    reads: tuple[str, ...]
    #: Does it, and gives what is to be written.
    carry_out: Callable[[Doer], Iterable[Any] | None] = field(repr=False, compare=False)
    #: Raised with every change of what it gives.
    version: int = 1


def keys_of(
    steps: Sequence[Step[Any]], config: Mapping[str, Any], inputs: Mapping[str, str]
) -> Iterator[tuple[Step[Any], str]]:
    """A key for each step: the same key, the same result.

    Args:
        config: the whole configuration, as it is written.
        inputs: digests of the input tables, by what they are; those that there are not are missing.
    """
    keys = dict(inputs)
    for step in steps:
        parts = [step.name, step.version, [keys.get(need, "") for need in step.needs]]
        parts.append([_part(config, path) for path in step.reads])
        keys[step.name] = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        yield step, keys[step.name]


def _part(config: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 (of a YAML file)
    part: Any = config
    for word in path.split("."):
        part = part[word]
    return part
