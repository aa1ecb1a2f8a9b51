"""Which test modules take longest, and how the workers of a run share them: each of them begins with its heavy ones.

So none is left alone with a long one at the end, and the fixtures of a heavy module are made once.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

Test = TypeVar("Test")

#: Seconds of one processor, roughly, of those that take the longest; ``--durations`` tells when this is out of date.
HEAVY: Mapping[str, int] = {
    "tests/docs/test_pages.py": 62,
    "tests/integration/faults/test_death_at_every_step.py": 37,
    "tests/integration/catalogue/test_mishaps.py": 31,
    "tests/integration/datasets/test_large_trees.py": 30,
    "tests/integration/faults/test_dropping.py": 23,
    "tests/integration/faults/test_malicious_repositories.py": 22,
    "tests/integration/faults/test_auditing.py": 20,
    "tests/integration/faults/test_impostors.py": 20,
    "tests/integration/faults/test_states.py": 19,
    "tests/integration/faults/test_full_disks.py": 18,
    "tests/integration/faults/test_kills_and_signals.py": 16,
    "tests/interop/test_help_for_datalad_users.py": 16,
    "tests/interop/test_save_as_datalad.py": 15,
    "tests/integration/faults/test_malicious_sources.py": 14,
    "tests/integration/faults/test_power_cuts.py": 14,
    "tests/integration/datasets/test_hand_overs.py": 13,
    "tests/integration/faults/test_getting.py": 13,
    "tests/interop/test_rerun_as_datalad.py": 13,
    "tests/integration/datasets/test_getting.py": 12,
    "tests/integration/faults/test_runs_die.py": 12,
    "tests/interop/test_auditing_as_git_annex.py": 12,
    "tests/contract/test_recognisers.py": 11,
    "tests/integration/datasets/test_installing.py": 11,
    "tests/integration/faults/test_bad_input.py": 11,
    "tests/interop/test_clone_as_datalad.py": 11,
    "tests/property/test_two_clones.py": 11,
    "tests/cli/test_choosing_screens.py": 10,
    "tests/integration/datasets/test_after_a_save.py": 10,
    "tests/integration/faults/test_two_at_once.py": 10,
    "tests/interop/test_drop_as_datalad.py": 10,
    "tests/interop/test_largefiles_as_git_annex.py": 10,
    "tests/interop/test_screens.py": 10,
    "tests/interop/test_subdatasets_as_datalad.py": 10,
    "tests/unit/testing/test_escapes.py": 10,
    "tests/docs/test_house_rules.py": 9,
    "tests/integration/datasets/test_drop.py": 9,
    "tests/integration/faults/test_cloning.py": 9,
    "tests/cli/test_annotation_screens.py": 8,
    "tests/docs/test_new_recogniser.py": 8,
    "tests/integration/datasets/test_auditing.py": 8,
    "tests/integration/datasets/test_plans.py": 8,
    "tests/interop/test_mixed_use.py": 8,
    "tests/interop/test_what_goes_where.py": 8,
    "tests/property/connectome/test_builds.py": 8,
    "tests/property/test_datasets_twins.py": 8,
    "tests/integration/faults/test_power_cuts_of_other_verbs.py": 7,
    "tests/property/test_git_fuzz.py": 7,
    "tests/cli/test_imports.py": 6,
    "tests/integration/connectome/test_bad_tables.py": 6,
    "tests/integration/datasets/test_provenance.py": 6,
    "tests/integration/faults/test_get_power_cuts.py": 6,
    "tests/interop/test_get_as_datalad.py": 6,
    "tests/interop/test_run_as_datalad.py": 6,
    "tests/property/test_git_index.py": 6,
    "tests/cli/test_marking_screens.py": 5,
    "tests/integration/datasets/test_remove.py": 5,
    "tests/integration/sessions/test_ingesting.py": 5,
    "tests/interop/test_catalogue_as_datajoint.py": 5,
    "tests/interop/test_create_as_datalad.py": 5,
    "tests/interop/test_subdataset_lists_as_datalad.py": 5,
    "tests/integration/faults/test_random_histories.py": 3,
}


def dealt(tests: Sequence[tuple[str, Test]], workers: int) -> list[Test]:
    """All of *tests* (each with its module), so that a split into *workers* equal parts shares out the heavy modules.

    Each module goes to the worker who has least to do so far; light ones, in the order that they
    have (which makes what they share once), fill up what is missing.
    """
    rooms = [(len(tests) + number) // workers for number in range(workers)]
    heavy: dict[str, list[Test]] = {}
    for module, test in tests:
        if module in HEAVY:
            heavy.setdefault(module, []).append(test)
    hands: list[list[Test]] = [[] for _ in range(workers)]
    seconds = [0] * workers
    for module in sorted(heavy, key=lambda name: (-HEAVY[name], name)):
        fitting = [number for number in range(workers) if len(hands[number]) + len(heavy[module]) <= rooms[number]]
        if fitting:
            least = min(fitting, key=lambda number: seconds[number])
            hands[least] += heavy.pop(module)
            seconds[least] += HEAVY[module]
    light = [test for module, test in tests if module not in HEAVY or module in heavy]
    for hand, room in zip(hands, rooms, strict=True):
        missing = room - len(hand)
        hand += light[:missing]
        del light[:missing]
    return [test for hand in hands for test in hand]
