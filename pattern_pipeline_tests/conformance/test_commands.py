"""The step layer against the shared cases and the real histories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tree_sitter import Language, Parser
from tree_sitter_bash import language

from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.sequence_runs import STEPS
from pattern_pipeline.detection.sequences import mine
from pattern_pipeline.detection.shell import parse
from pattern_pipeline.detection.step_detector import StepDetector
from pattern_pipeline.detection.steps import step_signatures
from pattern_pipeline.detection.steps_policy import StepPolicy


@pytest.fixture(scope="module")
def policy() -> StepPolicy:
    steps = load_policy("default").detection.steps
    assert steps is not None
    return steps


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line, parse_float=Decimal) for line in lines)


@pytest.fixture(scope="module")
def agent_steps(shared_dir: Path) -> pl.DataFrame:
    rows = [
        (str(run), seq, step["tool"], step["command"], "/testbed", None, step["returncode"], step["call_cost_usd"])
        for run, record in enumerate(json_lines(shared_dir / "data" / "agent_runs.jsonl"))
        for seq, step in enumerate(record["steps"])
    ]
    schema = {
        "workflow_id": pl.String,
        "step_seq": pl.Int32,
        "tool_name": pl.String,
        "command": pl.String,
        "cwd": pl.String,
        "tool_params": pl.String,
        "returncode": pl.Int64,
        "cost": pl.Decimal(24, 12),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.fixture(scope="module")
def hook_commands(shared_dir: Path) -> list[str]:
    events = json_lines(shared_dir / "data" / "hook_events.jsonl")
    starts = (event for event in events if event["event_type"] == "PreToolUse" and event["tool_name"] == "Bash")
    return [json.loads(event["payload"])["tool_input"]["command"] for event in starts]


def test_every_shared_case_has_its_signatures_in_order(policy: StepPolicy, shared_dir: Path) -> None:
    cases = list(json_lines(shared_dir / "conformance" / "commands.jsonl"))
    differing = []
    for case in cases:
        found = step_signatures(case["tool"], case["command"], case["cwd"], json.dumps(case.get("tool_params")), policy)
        if (signatures := [match.signature for match in found]) != case["expected"]:
            differing.append((case["command"], signatures, case["expected"]))
    assert len(cases) >= 213
    assert differing == []


@pytest.mark.parametrize(
    ("operation", "steps", "runs", "failed", "cost"),
    [("test:pytest:", 169, 56, 19, "0.14392907"), ("test:django:", 23, 14, 0, "0.02077496")],
)
def test_agent_runs_give_the_published_figures(
    policy: StepPolicy, agent_steps: pl.DataFrame, operation: str, steps: int, runs: int, failed: int, cost: str
) -> None:
    detected = StepDetector(policy).detect_steps(agent_steps).filter(pl.col("signature").str.starts_with(operation))
    found = detected.join(agent_steps, on=["workflow_id", "step_seq"])
    assert found["part"].to_list() == [0] * steps
    assert found["workflow_id"].n_unique() == runs
    assert found.filter(pl.col("returncode") != 0).height == failed
    assert round(Decimal(str(found["cost"].sum())), 8) == Decimal(cost)


def test_what_pytest_cost_is_not_what_the_runs_with_pytest_cost(policy: StepPolicy, agent_steps: pl.DataFrame) -> None:
    naming = StepDetector(policy).detect_steps(agent_steps).filter(part=0)
    runs = naming.filter(pl.col("signature").str.starts_with("test:pytest:"))
    assert round(agent_steps.join(runs, on="workflow_id", how="semi")["cost"].sum(), 8) == Decimal("3.50790171")


def test_the_agents_submit_in_one_way_and_its_sequences_hold_the_runs_that_do(agent_steps: pl.DataFrame) -> None:
    policy = load_policy("default")
    assert policy.detection.steps is not None
    naming = StepDetector(policy.detection.steps).detect_steps(agent_steps).filter(part=0)
    templates = naming.sort("workflow_id", "step_seq").group_by("workflow_id").agg("template")
    tails = [(elements[-2], elements[-1]) for elements in templates["template"]]
    submits = [submit for _, submit in tails if submit.endswith("echo <str> && cat <path>")]
    assert len(submits) == len(tails) == 60
    steps = naming.with_columns(
        agent_id=pl.lit(None, pl.String),
        success=pl.lit(None, pl.Boolean),
        day=pl.date(2026, 4, 10) + pl.duration(days=pl.col("workflow_id").cast(pl.Int64) % 3),
    )
    found = mine(steps.select(STEPS.names()), policy.sequences).sequences
    by_elements = dict(found.select(pl.col("elements").list.join(" || "), "workflows").iter_rows())
    review_and_submit = ("cat <path>", "echo <str> && cat <path>")
    assert by_elements[" || ".join(review_and_submit)] == tails.count(review_and_submit) == 32


def test_hook_commands_are_named_by_programs_of_the_table(policy: StepPolicy, hook_commands: list[str]) -> None:
    named = [step_signatures("Bash", command, "", None, policy) for command in hook_commands]
    assert len(named) == 1_334
    nameless = [command for command, found in zip(hook_commands, named, strict=True) if not found]
    assert len(nameless) <= 20
    by_table = [found[0] for found in named if found and found[0].rule_id != "step.other"]
    assert len(by_table) >= 0.9 * len(named)


def test_real_commands_split_as_an_independent_parser_splits_them(
    agent_steps: pl.DataFrame, hook_commands: list[str]
) -> None:
    commands = sorted({*agent_steps["command"], *hook_commands})
    parser = Parser(Language(language()))
    compared, differing = 0, []
    for command in commands:
        tree = parser.parse(command.encode())
        if tree.root_node.has_error:
            continue
        compared += 1
        ours = [found.words[0] for found in parse(command).commands if found.words]
        if [name for name in ours if name not in ("export", "unset", "[")] != program_names(tree.root_node):
            differing.append(command)
    assert compared >= 5_300
    # One command of 24 parts, of which that parser loses the first words of five lines.
    assert len(differing) <= 1


def program_names(root: Any) -> list[str]:
    """Names of the simple commands of a syntax tree, in order, without those of substitutions and here-documents."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        if node.type in ("command_substitution", "process_substitution", "string", "heredoc_body"):
            continue
        name = node.child_by_field_name("name") if node.type == "command" else None
        if name:
            found.append((node.start_byte, name.text.decode().strip("\"'")))
        waiting.extend(node.children)
    return [name for _, name in sorted(found)]
