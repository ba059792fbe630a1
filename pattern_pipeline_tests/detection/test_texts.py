"""How task texts are read under the default policy, and where detection went wrong before."""

import pytest

from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.workflows import WorkflowDetector

DETECTOR = WorkflowDetector(load_policy("default"))


def signatures(nl_input: str, error_message: str | None = None, workflow_template: str | None = None) -> list[str]:
    run = {"nl_input": nl_input, "error_message": error_message, "workflow_template": workflow_template}
    return DETECTOR.detect(run).signatures


@pytest.mark.parametrize(
    "text",
    [
        *("the latest contest", "more information", "the pipeline", "capital letters", "a suite of tools", "quickly"),
        *("tester", "the formatter and the linter", "a compiler for the bundler"),
    ],
)
def test_words_that_only_contain_a_keyword_do_not_fire(text: str) -> None:
    assert signatures(text) == []


def test_a_build_is_not_frontend_because_it_contains_ui() -> None:
    assert signatures("build it") == ["build:build:all"]


def test_a_failed_vitest_does_not_credit_pytest() -> None:
    assert signatures("x", "vitest: 3 tests failed") == ["test:vitest:frontend"]


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("do not run the tests", False),
        ("don't test it", False),
        ("don\u2019t test it", False),
        ("no, run the tests", True),
        ("not now - run the tests", True),
        ("never re-run tests", False),
        ("skip everything that is in tests", True),
        ("without docs. run the tests", True),
        ("no a without b c tests", False),
    ],
)
def test_negation_reaches_three_tokens_within_its_clause(text: str, fires: bool) -> None:
    assert bool(signatures(text)) is fires


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("black is the new theme", []),
        ("black src/app", ["format:black:all"]),
        ("try `black src`", ["format:black:all"]),
        ("run the black formatter", ["format:black:all"]),
        ("no need to run black on it", ["format:black:all"]),
        ("bun install is slow", ["deps:bun:update"]),
        ("cargo ships leave at noon", []),
        ("* **format** the sources", ["format:generic:all"]),
        ("1. format the sources", ["format:generic:all"]),
        ("_format_ is broken", []),
        ("which format is it", []),
        ("auto-format on save", ["format:generic:all"]),
        ("support our file format", ["format:generic:all"]),
        ("the test database is slow", []),
        ("create the test database", ["test:generic:all"]),
        ("add a test case for it", ["test:generic:all"]),
    ],
)
def test_ambiguous_words_need_company(text: str, expected: list[str]) -> None:
    assert signatures(text) == expected


def test_a_word_cut_at_the_end_of_the_head_does_not_match() -> None:
    assert signatures("x" * 195 + " tests") == []
    assert signatures("x" * 194 + " tests") == ["test:generic:all"]
    assert signatures("  " + "x" * 194 + " test") == []


def test_the_tool_that_stands_first_names_dependencies() -> None:
    assert signatures("move from yarn to npm") == ["deps:yarn:update"]
    assert signatures("git log, then git diff") == ["git:log:summary"]


def test_one_format_signature_per_error_and_the_first_explicit_target() -> None:
    assert signatures("the ui", "ruff and eslint lint failed") == ["format:eslint:all"]
    assert signatures("on the api", "jest failed", "client_flow") == ["test:jest:backend"]
    assert signatures("anything", "jest failed", "client_flow") == ["test:jest:frontend"]


def test_evidence_names_layer_rule_and_text() -> None:
    [match] = DETECTOR.detect({"nl_input": "Run  PyTest on the server"}).matches
    assert (match.layer, match.rule_id, match.text, match.step) == ("task", "task.test", "pytest", None)


def test_steps_lead_and_a_signature_keeps_its_first_layer() -> None:
    found = DETECTOR.detect(
        {
            "nl_input": "run pytest on the api",
            "error_message": "mypy failed",
            "steps": [{"tool_name": "Bash", "command": "cd server && pytest -q"}, {"tool_name": "Read"}],
        }
    )
    assert found.signatures == ["test:pytest:backend", "tool:read:files", "build:typecheck:backend"]
    assert [(match.layer, match.step) for match in found.matches] == [("step", 0), ("step", 1), ("error", None)]


def test_files_are_sorted_and_urls_are_none() -> None:
    text = "see https://example.org/a/b.py, src/z/last.ts and README.md; version 3.10 e.g. np.diff"
    assert DETECTOR.detect({"nl_input": text}).characteristics["files_mentioned"] == ["README.md", "src/z/last.ts"]
