from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pattern_pipeline.detection.outlines import Outliner
from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.shell import MAX_LENGTH
from pattern_pipeline.detection.steps import read_step
from pattern_pipeline.detection.steps_policy import StepPolicy
from pattern_pipeline_tests.detection.test_shell import HOSTILE, SHELL_CHARACTERS, SHELL_TEXT, assert_linear


def default_steps() -> StepPolicy:
    steps = load_policy("default").detection.steps
    assert steps is not None
    return steps


POLICY = default_steps()
OUTLINER = Outliner(POLICY)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cat a/b.py", "cat 'c/d.py'"),
        ("cd x && sed -n '1,5p' a/b.py | head -5", "cd x && sed -n '20,30p' c.d/e.py | head -50"),
        ("cat > a.py <<'EOF'\nit's\nEOF\npython a.py", 'cat > b.py << "END"\n<<`$(\nEND\npython b.py'),
        ("python -m pytest tests/a.py -k 'a or b'", 'python -m pytest tests/b.py -k "c and d"'),
        ("python -c 'print(1)' 2>&1", 'python -c "x = {}; y"  2>&1'),
        ("python -m django test a.b.C --settings=x", "python -m django test 'c.d.E' --settings=y"),
        ("grep 'atomic=a' x/a.py", 'grep "other=b" x/b.py'),
        ("ls server/a.py", "ls b.py"),
        ("git show a/b.py", "git show c/d.py"),
        ("grep --include='*.py' -A3 x/y z/", "grep --include='*.md' -A12 v/w u/"),
    ],
)
def test_commands_that_differ_in_values_only_have_one_outline(one: str, other: str) -> None:
    assert OUTLINER.outline(one) == OUTLINER.outline(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pytest app/server", "pytest app/client"),
        ("pytest server", "pytest tests"),
        ("git diff", "git add"),
        ("git -C cat frobnicate x", "git -C cat defrobnicate x"),
        ("make test", "make all"),
        ("cd a/server && pytest", "cd b && pytest"),
        ("xargs -I cat git add", "xargs -I cat git diff"),
        ("time -p npm run x-ray", "time -p npm run test-ray"),
        ("cat a > /dev/null", "cat a > b"),
        ("cat a >&2", "cat a >&b"),
        ("cat a 3<<EOF\nEOF", "cat a 3 <<EOF\nEOF"),
        ("cat a b", "cat a\nb"),
        ("cat a & & b", "cat a && b"),
        ("cat a ; ; b", "cat a ;; b"),
        ("cat a ; & b", "cat a ;& b"),
        ("cat a ;; & b", "cat a ;;& b"),
        ("cat a | & b", "cat a |& b"),
        ("[[ a > b && c", "[[ a > ]] && c"),
        ("cat a '-n'", "cat a n/m"),
        ("npm run test:a", "npm run b:test"),
        ("A=x/cat b", "x/cat b"),
        ("> x/cat git diff", "> x/cat git add"),
        ("cat a=b", "cat b"),
        ("python -m django test server/x.py", "python -m django test client/x.py"),
    ],
)
def test_commands_that_mean_different_things_have_different_outlines(one: str, other: str) -> None:
    assert OUTLINER.outline(one) != OUTLINER.outline(other)


@pytest.mark.parametrize(
    "command",
    ["echo $(ls)", "echo `ls`", "(ls)", "f() { ls; }", "function [[ | f } f", "cat 'a", "cat <<A <<B\nA\nB"],
)
def test_what_is_not_followed_has_no_outline(command: str) -> None:
    assert OUTLINER.outline(command) is None


PROGRAMS = [
    "cat",
    "sed",
    "git",
    "python",
    "python3",
    "pytest",
    "make",
    "npm",
    "xargs",
    "time",
    "cd",
    "tee",
    "foo",
    "A=b/cat",
]
PLACES = [
    "a/server/x.py",
    "b/client",
    "c.py",
    "d",
    "'e f'",
    '"g"',
    "12",
    "-k",
    "-m",
    "-c",
    "-i",
    "-A5",
    "--x=a/b",
    "--cov",
]
WORDS = [
    "run",
    "test",
    "diff",
    "install",
    "pytest",
    "in",
    "do",
    "done",
    "{",
    "}",
    "==",
    "\\;",
    "a#b",
    "#",
    "''",
    "$x",
]
OPERATORS = [
    " && ",
    " | ",
    "; ",
    "\n",
    " & ",
    " > ",
    " 2>",
    ">&",
    " <<E\nx\nE\n",
    " <<E && ",
    "\\\n",
    " if ",
    " for x in ",
]
COMMAND = st.lists(
    st.tuples(
        st.sampled_from(PROGRAMS), st.lists(st.sampled_from(PLACES + WORDS), max_size=4), st.sampled_from(OPERATORS)
    ),
    max_size=4,
).map(lambda parts: "".join(" ".join((program, *words)) + operator for program, words, operator in parts))


def assert_read_alike(commands: list[str]) -> None:
    read: dict[object, object] = {}
    for command in commands:
        outline = OUTLINER.outline(command)
        if outline is not None:
            step = read_step("Bash", command, None, None, POLICY)
            assert read.setdefault(outline, (step.matches, step.template.text)) == (step.matches, step.template.text)


@settings(max_examples=300, deadline=None)
@given(st.lists(COMMAND | SHELL_TEXT, max_size=15))
def test_commands_of_one_outline_are_read_alike(commands: list[str]) -> None:
    assert_read_alike(commands)


@settings(max_examples=300, deadline=None)
@given(
    COMMAND | SHELL_TEXT,
    st.integers(0, 40),
    st.lists(st.sampled_from([*PLACES, *WORDS, *SHELL_CHARACTERS, ""]), min_size=2, max_size=8, unique=True),
)
def test_commands_that_differ_in_one_place_are_read_alike_if_they_have_one_outline(
    command: str, at: int, others: list[str]
) -> None:
    assert_read_alike([command[:at] + other + command[at:] for other in others])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_outlined_in_linear_time(name: str) -> None:
    assert_linear(Outliner(POLICY).outline, HOSTILE[name])


@pytest.mark.parametrize("name", HOSTILE)
def test_a_text_that_is_read_in_part_has_no_outline(name: str) -> None:
    assert (len(HOSTILE[name]) <= MAX_LENGTH) or OUTLINER.outline(HOSTILE[name]) is None
