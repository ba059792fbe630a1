"""Policies: what a file may say, how it extends another, and what its versions depend on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pattern_pipeline.detection.policy import exclusion, load_policy, shipped_policies
from pattern_pipeline.detection.workflows import WorkflowDetector
from pattern_pipeline.errors import InvalidInput

RULE = "[[detection.rules]]\nid = 'x'"
Writer = Callable[[str], str]


@pytest.fixture
def own(tmp_path: Path) -> Writer:
    def write(text: str) -> str:
        path = tmp_path / "own.toml"
        path.write_text(f'extends = "default"\n{text}', encoding="utf-8")
        return str(path)

    return write


def test_every_shipped_policy_loads() -> None:
    assert {"default", "legacy"} <= set(shipped_policies())
    for name in shipped_policies():
        load_policy(name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[queue]\nlimit = 3", ["own.toml", "queue.limit", "unknown key", "scheduled_preset"]),
        ("[queue.presets.smart]\nmax_patterns = 900", ["queue.presets.smart.max_patterns", "200"]),
        ("[detection.texts.task]\nscope = 'tail'", ["detection.texts.task.scope", "'head' or 'whole'"]),
        (f"{RULE}\nlayer = 'mood'\nany = ['test']", ["detection.rules.x.layer", "'task'"]),
        (f"{RULE}\nlayer = 'task'\nany = ['nope']", ["x: unknown term nope", "allowed"]),
        (f"{RULE}\nlayer = 'task'\nany = ['test']\nsignature = 'Bad'", ["detection.rules.x.signature"]),
        (f"{RULE}\nlayer = 'task'\nany = ['test']\nkind = 1", ["rules.x.kind", "unknown key", "target"]),
        (f"{RULE}\n{RULE}", ["detection.rules", "duplicate rule id", "x"]),
        ("[detection.terms]\nplus = ['c++']", ["terms.plus", "letter, digit or underscore"]),
        ("[detection.terms]\nloud = ['TEST']", ["loud", "lower case"]),
        ("[detection.characteristics]\nfiles = ['(?=x)']", ["detection.characteristics.files.0"]),
        ("[detection", ["own.toml", "TOML"]),
    ],
)
def test_a_mistake_is_named_with_file_key_and_what_is_allowed(own: Writer, text: str, words: list[str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        load_policy(own(text))
    for word in words:
        assert word in str(caught.value)


def test_an_unknown_policy_lists_the_shipped_ones() -> None:
    with pytest.raises(InvalidInput, match="default, legacy"):
        load_policy("no-such-policy")


def test_a_policy_cannot_extend_itself(tmp_path: Path) -> None:
    path = tmp_path / "loop.toml"
    path.write_text('extends = "loop.toml"', encoding="utf-8")
    with pytest.raises(InvalidInput, match="extends itself"):
        load_policy(str(path))


def test_rules_are_overridden_and_added_by_id(own: Writer) -> None:
    policy = load_policy(
        own("""
            [detection.terms]
            deploy = ["deploy{,s,ed,ing}"]
            [[detection.rules]]
            id = "task.deploy"
            layer = "task"
            any = ["deploy"]
            signature = "deploy:site:all"
            place = "task.test"
            [[detection.rules]]
            id = "task.docs"
            layer = "task"
            any = ["docs"]
            signature = "docs:write:all"
        """)
    )
    detector = WorkflowDetector(policy)
    assert detector.detect({"nl_input": "deploying, then test"}).signatures == ["deploy:site:all"]
    assert detector.detect({"nl_input": "the readme"}).signatures == ["docs:write:all"]
    assert len(policy.detection.rules) == len(load_policy("default").detection.rules) + 1


def test_a_stage_changes_its_own_version_only(own: Writer) -> None:
    default, changed = load_policy("default"), load_policy(own("[queue.presets.smart]\nmin_savings = 5"))
    assert changed.queue_version != default.queue_version
    assert changed.detection_version == default.detection_version
    assert changed.roi_version == default.roi_version
    mined = load_policy(own("[sequences]\nmin_workflows = 6"))
    assert mined.detection_version != default.detection_version
    assert mined.queue_version == default.queue_version


def test_plumbing_is_excluded_with_a_reason() -> None:
    policy = load_policy("default")
    assert exclusion(policy, "inspect:grep:files") == "reads_context"
    assert exclusion(policy, "git:status:summary") == "reads_context"
    assert exclusion(policy, "git:commit:repo") is None
    assert exclusion(policy, "test:pytest:backend") is None
