"""A user's mapping: what it changes, and how its mistakes are told."""

from pathlib import Path

import orjson
import pytest

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.mapping import load_mapping
from pattern_pipeline.history.readers import ReadOptions
from pattern_pipeline_tests.history.reading import START, a_run, read, write_lines


def _mapping(directory: Path, text: str) -> Path:
    path = directory / "mapping.toml"
    path.write_text(text)
    return path


def test_a_mapping_names_columns_values_and_namespace(tmp_path: Path) -> None:
    mapping = load_mapping(
        _mapping(
            tmp_path,
            """
            namespace = "ci"
            timezone = "Europe/Berlin"
            input_includes_cache = true
            [columns]
            workflow_id = "build"
            nl_input = ["payload.question", "fallback"]
            start_time = "begun"
            input_tokens = "in"
            cache_read_tokens = "cached"
            steps = "actions"
            [step_columns]
            command = "shell"
            [values.status]
            Green = "completed"
            paused = "pending"
            """,
        )
    )
    path = write_lines(
        tmp_path / "runs.jsonl",
        {
            "build": 7,
            "payload": {"question": "why?"},
            "begun": "2026-07-01 12:00",
            "status": "GREEN",
            "in": 10,
            "cached": 4,
            "actions": [{"shell": "ls"}],
        },
        {"build": 8, "fallback": "else", "begun": START, "status": "paused"},
    )
    reading = read(path, ReadOptions(mapping=mapping))
    first, second = reading.run("ci:7"), reading.run("ci:8")
    assert (first["nl_input"], first["status"], first["start_time"].hour) == ("why?", "completed", 10)
    assert (first["input_tokens"], first["cache_read_tokens"]) == (6, 4)
    assert reading.steps["command"].to_list() == ["ls"]
    assert (second["nl_input"], second["status"]) == ("else", "pending")
    assert orjson.loads(first["extra"]) == {"payload": {"question": "why?"}, "status": "GREEN"}


def test_the_caller_goes_before_the_mapping_and_the_mapping_before_the_reader(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "runs.jsonl", a_run())
    mapping = load_mapping(_mapping(tmp_path, 'namespace = "mine"'))
    assert read(path).runs["workflow_id"].item() == "generic:1"
    assert read(path, ReadOptions(mapping=mapping)).runs["workflow_id"].item() == "mine:1"
    assert read(path, ReadOptions(mapping=mapping, namespace="yours")).runs["workflow_id"].item() == "yours:1"


def test_a_name_that_the_user_gives_to_one_field_answers_for_no_other(tmp_path: Path) -> None:
    mapping = load_mapping(_mapping(tmp_path, '[columns]\nproject = "prompt"'))
    run = read(write_lines(tmp_path / "runs.jsonl", a_run(prompt="x")), ReadOptions(mapping=mapping)).run("generic:1")
    assert (run["project"], run["nl_input"]) == ("x", None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("namespace =", "no valid TOML"),
        ('namespaces = "x"', "namespaces.*Allowed top-level keys: columns.*namespace"),
        ('namespace = "a b"', "namespace"),
        ('[columns]\nprompt = "x"', r"\[columns\] prompt: no such field; allowed: workflow_id.*nl_input"),
        ('[step_columns]\nnl_input = "x"', r"\[step_columns\] nl_input: no such field; allowed: tool_call_id"),
        ('[values.status]\nok = "fine"', "values.status.ok.*pending.*completed"),
        ('timezone = "Mars/Olympus"', "timezone.*Mars/Olympus.*Europe/Berlin"),
    ],
)
def test_a_wrong_mapping_is_refused_by_file_key_and_allowed_values(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=f"mapping.toml.*{told}"):
        load_mapping(_mapping(tmp_path, text))


def test_an_absent_mapping_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"absent\.toml"):
        load_mapping(tmp_path / "absent.toml")
