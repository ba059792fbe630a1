from __future__ import annotations

import polars as pl
import pytest

from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.slots import EVIDENCE, MAX_EXAMPLES, MAX_OCCURRENCES, determinism, slot_evidence
from pattern_pipeline.detection.step_detector import SLOT_VALUES, StepDetector

NO_TASKS = pl.DataFrame(schema={"workflow_id": pl.String, "task": pl.String})
NO_OUTPUTS = pl.DataFrame(schema={"workflow_id": pl.String, "step_seq": pl.Int32, "output": pl.String})


def values(*rows: tuple[str, int, int, str]) -> pl.DataFrame:
    """Rows of workflow, step, slot and value, all of one template."""
    columns = {"workflow_id": pl.String, "step_seq": pl.Int32, "slot": pl.Int16, "value": pl.String}
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    return frame.with_columns(template=pl.lit("t"), kind=pl.lit("path")).select(SLOT_VALUES.names())


def test_the_source_of_each_slot_is_told() -> None:
    found = slot_evidence(
        values(
            *[(workflow, 5, 0, "same.py") for workflow in "abc"],
            *[(workflow, 5, 1, f"{workflow}_task.py") for workflow in "abc"],
            *[(workflow, 5, 2, f"{workflow}_out.py") for workflow in "abc"],
            *[(workflow, 5, 3, f"{workflow}_late.py") for workflow in "abc"],
            *[(workflow, 5, 4, workflow) for workflow in "abc"],
        ),
        pl.DataFrame({"workflow_id": list("abc"), "task": [f"a fix for {name}_task.py" for name in "abc"]}),
        pl.DataFrame(
            [(name, seq, f"in {name}_{word}.py") for name in "abc" for seq, word in ((4, "out"), (5, "late"))],
            schema=NO_OUTPUTS.schema,
            orient="row",
        ),
    )
    assert found.schema == EVIDENCE
    assert found["provenance"].to_list() == ["constant", "task", "output", "free", "free"]
    assert found["explained_share"].to_list() == [1.0, 1.0, 1.0, 0.0, 0.0]
    assert found["distinct_values"].to_list() == [1, 3, 3, 3, 3]


def test_what_one_workflow_repeats_is_not_constant() -> None:
    found = slot_evidence(values(("a", 1, 0, "x.py"), ("a", 2, 0, "x.py")), NO_TASKS, NO_OUTPUTS)
    assert found["provenance"].to_list() == ["free"]


def test_evidence_is_bounded_whatever_the_history() -> None:
    rows = [(f"w{index:05}", 1, 0, f"v{index}") for index in range(3 * MAX_OCCURRENCES)]
    found = slot_evidence(values(*rows), NO_TASKS, NO_OUTPUTS)
    assert found["occurrences"].to_list() == [MAX_OCCURRENCES]
    assert found["examples"].list.len().to_list() == [MAX_EXAMPLES]


def test_evidence_does_not_depend_on_the_order_of_rows() -> None:
    frame = values(*[(f"w{index % 7}", index, index % 3, f"v{index % 5}") for index in range(300)])
    shuffled = frame.sample(fraction=1, shuffle=True, seed=1)
    assert slot_evidence(frame, NO_TASKS, NO_OUTPUTS).equals(slot_evidence(shuffled, NO_TASKS, NO_OUTPUTS))


def test_determinism_is_the_weighted_mean_of_products() -> None:
    evidence = pl.DataFrame(
        {"template": ["t", "t", "u"], "explained_share": [0.5, 0.8, 1.0]}, schema_overrides={"template": pl.String}
    )
    patterns = pl.DataFrame({"pattern": ["p", "p", "q"], "template": ["t", "u", "no slots"], "occurrences": [3, 1, 9]})
    scores = dict(determinism(patterns, evidence).iter_rows())
    assert scores == {"p": pytest.approx((0.4 * 3 + 1.0) / 4), "q": 1.0}


def test_slot_values_of_real_commands_feed_the_evidence() -> None:
    policy = load_policy("default").detection.steps
    assert policy is not None
    steps = pl.DataFrame(
        [
            (workflow, seq, "Bash", f"cd /x && pytest tests/{name}.py -k '{workflow} or x'", None, None)
            for workflow in ("a", "b", "c")
            for seq, name in enumerate(("one", "two"))
        ],
        schema=["workflow_id", "step_seq", "tool_name", "command", "cwd", "tool_params"],
        orient="row",
    ).with_columns(pl.col("step_seq").cast(pl.Int32), pl.col("cwd", "tool_params").cast(pl.String))
    found = StepDetector(policy).slot_values(steps)
    assert found.schema == SLOT_VALUES
    assert found.height == 12
    evidence = slot_evidence(found, NO_TASKS, NO_OUTPUTS)
    assert evidence["template"].unique().to_list() == ["pytest <path> -k <str>"]
    assert evidence["constant_share"].to_list() == [0.5, 0.0]
