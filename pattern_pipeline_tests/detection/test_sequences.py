from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from itertools import groupby

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.sequence_occurrences import OCCURRENCES, match
from pattern_pipeline.detection.sequence_policy import SequencePolicy
from pattern_pipeline.detection.sequence_runs import STEPS
from pattern_pipeline.detection.sequences import SEQUENCES, mine

POLICY = load_policy("default").sequences
NAMES = {"read": "inspect:cat:files", "edit": "edit:sed:files", "plan": "tool:todowrite:plan", "run": "run:python:all"}


def signature_of(element: str) -> str:
    """`pytest` -> `test:pytest:backend`; the words above -> their signature; anything else is a program of its own."""
    return NAMES.get(element) or ("test:pytest:backend" if element == "pytest" else f"db:{element.lower()}:query")


def history(*workflows: Sequence[str], agent: str | None = None) -> pl.DataFrame:
    """One workflow per argument, each on a day of its own; `!` after an element marks a failed step."""
    rows = [
        (
            f"w{number:05}",
            agent,
            seq,
            element.rstrip("!"),
            signature_of(element.rstrip("!")),
            not element.endswith("!"),
            date(2026, 1, 1) + timedelta(days=number % 300),
        )
        for number, elements in enumerate(workflows)
        for seq, element in enumerate(elements)
    ]
    return pl.DataFrame(rows, schema=STEPS, orient="row")


def mined(steps: pl.DataFrame, policy: SequencePolicy = POLICY) -> dict[tuple[str, ...], int]:
    found = mine(steps, policy).sequences.filter(kind="sequence")
    return {tuple(elements): support for elements, support in found.select("elements", "workflows").iter_rows()}


def loose(min_workflows: int = 2, min_days: int = 1, min_share: float = 0.01) -> SequencePolicy:
    return POLICY.model_copy(update={"min_workflows": min_workflows, "min_days": min_days, "min_share": min_share})


def collapsed(elements: Sequence[str]) -> list[str]:
    return [element for index, element in enumerate(elements) if index == 0 or element != elements[index - 1]]


def by_definition(workflows: Sequence[Sequence[str]], policy: SequencePolicy) -> dict[tuple[str, ...], int]:
    """Every contiguous run counted and compared with every other: what `mine` must find, the slow way."""
    holders: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, elements in enumerate(workflows):
        line = collapsed(elements)
        for start in range(len(line)):
            for end in range(start + 1, min(start + policy.max_length, len(line)) + 1):
                holders[tuple(line[start:end])].add(number)
    frequent: dict[tuple[str, ...], int] = {}
    for run, held in sorted(holders.items(), key=lambda item: len(item[0])):
        parts = (run[:-1], run[1:]) if len(run) > 1 else ()
        least = [policy.min_share * len(holders[part]) for part in parts]
        if all(part in frequent for part in parts) and len(held) >= max(policy.min_workflows, *least, 0):
            frequent[run] = len(held)

    def inside(run: tuple[str, ...], longer: tuple[str, ...]) -> bool:
        return len(longer) > len(run) and any(longer[at : at + len(run)] == run for at in range(len(longer)))

    return {
        run: support
        for run, support in frequent.items()
        if len(run) >= policy.min_length
        and not any(inside(run, longer) and frequent[longer] == support for longer in frequent)
    }


def test_planted_sequences_are_found_and_nothing_else() -> None:
    rng = random.Random(7)
    planted = [("A", "B", "C"), ("D", "E"), ("F", "G", "H", "I", "J", "K", "L", "M"), ("N", "A", "O", "B")]
    workflows = []
    for number in range(400):
        noise = [f"x{number}_{index}" for index in range(rng.randint(2, 20))]
        at = rng.randrange(1, len(noise))
        workflows.append([*noise[:at], *planted[number % len(planted)], *noise[at:]])
    assert mined(history(*workflows)) == dict.fromkeys(planted, 100)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("ABCD"), max_size=14), max_size=8), st.sampled_from([0.0, 0.01, 0.5, 0.8, 1.0])
)
def test_mining_is_what_the_definition_says(workflows: list[list[str]], min_share: float) -> None:
    policy = loose(min_share=min_share)
    assert mined(history(*workflows), policy) == by_definition(workflows, policy)


def test_what_follows_a_common_sequence_now_and_then_is_no_part_of_it() -> None:
    common = [["A", "B", f"x{number}"] for number in range(995)]
    assert mined(history(*common, *[["A", "B", "C"]] * 5)) == {("A", "B"): 1_000}
    assert mined(history(*common, *[["A", "B", "C"]] * 15)) == {("A", "B"): 1_010, ("A", "B", "C"): 15}


def test_repeats_of_one_workflow_or_one_day_are_no_pattern() -> None:
    assert mined(history(["A", "B", "x"] * 50)) == {}
    one_day = history(*[["A", "B"]] * 9).with_columns(day=pl.lit(date(2026, 1, 1)))
    assert mined(one_day) == {}
    assert mined(history(*[["A", "B"]] * 4)) == {}
    assert mined(history(*[["A", "B"]] * 5)) == {("A", "B"): 5}


def test_direct_repeats_collapse_and_are_shown() -> None:
    found = mine(history(*[["A", "B"]] * 3, *[["A", "A", "A", "B"]] * 3), POLICY).sequences
    assert found["elements"].to_list() == [["A", "B"]]
    assert found["readable"].to_list() == ["db:a+ > db:b"]


def test_a_sub_agents_steps_are_a_sequence_of_their_own() -> None:
    own = history(*[["A", "B"]] * 6)
    other = history(*[["C", "D"]] * 6, agent="sub").with_columns(step_seq=pl.col("step_seq") + 1)
    assert set(mined(pl.concat([own, other]))) == {("A", "B"), ("C", "D")}


def test_the_catalogue_does_not_depend_on_order_and_its_version_on_counts() -> None:
    steps = history(*[["A", "B", "C"]] * 6, *[["D", "A"]] * 5)
    catalogue = mine(steps, POLICY)
    shuffled = mine(steps.sample(fraction=1, shuffle=True, seed=3), POLICY)
    assert catalogue.sequences.schema == SEQUENCES
    assert shuffled.sequences.equals(catalogue.sequences)
    assert shuffled.version == catalogue.version
    assert mine(history(*[["A", "B", "C"]] * 60, *[["D", "A"]] * 50), POLICY).version == catalogue.version
    assert mine(history(*[["A", "B", "C"]] * 6), POLICY).version != catalogue.version
    assert catalogue.sequences["signature"].str.contains(r"^seq:[a-z]+-[a-z]+:[0-9a-f]{12}$").all()


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        (["plan", "A"], "task_tracking"),
        (["read", "R", "read"], None),
        (["edit", "read"], "search_read_edit"),
        (["read", "edit", "pytest"], "read_edit_verify"),
        (["edit", "run"], "read_edit_verify"),
        (["read", "pytest"], None),
        (["run", "read"], "ad_hoc_scripts"),
        (["A", "edit", "B"], None),
    ],
)
def test_normal_orchestration_is_kept_with_its_reason(elements: list[str], reason: str | None) -> None:
    found = mine(history(*[elements] * 5), POLICY).sequences.filter(kind="sequence")
    assert found.select("elements", "automatable", "exclusion_reason").rows() == [(elements, reason is None, reason)]


def test_reading_only_and_editing_only_have_their_own_reasons() -> None:
    steps = history(*[["one", "two"]] * 5)
    for signature, reason in (("inspect:grep:files", "context_gathering"), ("edit:write:files", "edits_only")):
        found = mine(steps.with_columns(signature=pl.lit(signature)), POLICY).sequences
        assert found["exclusion_reason"].to_list() == [reason]


def fixes(*workflow: str) -> list[tuple[str, int]]:
    steps = history(*[workflow] * 5)
    catalogue = mine(steps, POLICY)
    found = match(steps, catalogue, POLICY).filter(pl.col("signature").str.starts_with("fix:"), workflow_id="w00000")
    return found.select("signature", "step_seq").rows()


def test_a_repair_runs_from_the_first_failure_to_the_pass() -> None:
    name = "fix:pytest:backend"
    assert fixes("pytest!", "read", "edit", "pytest") == [(name, seq) for seq in range(4)]
    assert fixes("pytest!", "edit", "pytest!", "edit", "pytest") == [(name, seq) for seq in range(5)]
    assert fixes("pytest!", "pytest!", "edit", "pytest", "pytest") == [(name, seq) for seq in range(5)]


@pytest.mark.parametrize(
    "workflow",
    [
        ["pytest", "edit", "pytest"],
        ["pytest!", "edit", "pytest!"],
        ["pytest!", "read", "pytest"],
        ["pytest!", "A", "edit", "pytest"],
        ["pytest!", *["edit", "read"] * 4, "pytest"],
    ],
)
def test_other_shapes_are_no_repair(workflow: list[str]) -> None:
    assert fixes(*workflow) == []


def test_a_repair_needs_support_as_any_pattern_does() -> None:
    steps = history(*[["pytest!", "edit", "pytest"]] * 4)
    assert mine(steps, POLICY).sequences.is_empty()


def occurrences(steps: pl.DataFrame, policy: SequencePolicy = POLICY) -> dict[str, list[tuple[str, int]]]:
    catalogue = mine(steps, policy)
    elements = {row["signature"]: " ".join(row["elements"]) for row in catalogue.sequences.iter_rows(named=True)}
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for workflow, signature, occurrence, step in match(steps, catalogue, policy).iter_rows():
        if workflow == "w00000":
            found[f"{elements[signature]} #{occurrence}"].append((workflow, step))
    return {name: [step for _, step in covered] for name, covered in found.items()}


def test_occurrences_are_the_longest_then_the_left_most_and_never_overlap() -> None:
    steps = history(["A", "B", "C", "D", "A", "B", "A", "B", "E"], *[["A", "B", "C"]] * 5, *[["B", "C"]] * 5)
    assert occurrences(steps) == {"A B C #0": [0, 1, 2]}
    more = history(["A", "B", "C", "A", "B", "A", "B"], *[["A", "B", "C"]] * 5, *[["A", "B"]] * 5)
    assert occurrences(more) == {"A B C #0": [0, 1, 2], "A B #0": [3, 4], "A B #1": [5, 6]}
    chain = history(["A", "B", "A", "B", "A"], *[["A", "B"]] * 5, *[["B", "A"]] * 5)
    assert occurrences(chain) == {"A B #0": [0, 1], "A B #1": [2, 3]}


def test_all_steps_of_a_repeated_element_are_covered() -> None:
    assert occurrences(history(*[["x", "A", "A", "B", "B", "B"]] * 5))["x A B #0"] == [0, 1, 2, 3, 4, 5]


def test_excluded_sequences_own_no_steps() -> None:
    steps = history(*[["read", "edit", "pytest"]] * 6)
    found = match(steps, mine(steps, POLICY), POLICY)
    assert found.schema == OCCURRENCES
    assert found.is_empty()


def test_no_steps_give_an_empty_catalogue() -> None:
    empty = history()
    catalogue = mine(empty, POLICY)
    assert catalogue.sequences.is_empty()
    assert match(empty, catalogue, POLICY).is_empty()


def matched_by_definition(elements: Sequence[str], wanted: Collection[tuple[str, ...]]) -> set[tuple[object, ...]]:
    """What `match` must find in one workflow, element by element: sequence and step."""
    steps_of = [list(run) for _, run in groupby(range(len(elements)), key=elements.__getitem__)]
    line = collapsed(elements)
    taken: set[int] = set()
    found: set[tuple[object, ...]] = set()
    for length in sorted(map(len, wanted), reverse=True):
        for start in range(len(line) - length + 1):
            run, places = tuple(line[start : start + length]), range(start, start + length)
            if run in wanted and taken.isdisjoint(places):
                taken.update(places)
                found |= {(run, step) for place in places for step in steps_of[place]}
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from("ABC"), max_size=14), min_size=2, max_size=6))
def test_matching_is_what_the_definition_says(workflows: list[list[str]]) -> None:
    steps = history(*workflows)
    policy = loose()
    catalogue = mine(steps, policy)
    elements = {row["signature"]: tuple(row["elements"]) for row in catalogue.sequences.iter_rows(named=True)}
    found = match(steps, catalogue, policy).select("workflow_id", "signature", "step_seq").rows()
    expected = [
        (f"w{number:05}", *place)
        for number, workflow in enumerate(workflows)
        for place in matched_by_definition(workflow, elements.values())
    ]
    assert sorted((workflow, elements[signature], step) for workflow, signature, step in found) == sorted(expected)
