from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.step_detector import DETECTED, StepDetector
from pattern_pipeline.detection.steps import read_step, step_signatures
from pattern_pipeline.detection.steps_policy import StepPolicy

SIGNATURE = re.compile(r"[a-z0-9_.+-]+(:[a-z0-9_.+-]+){2}")


def default_steps() -> StepPolicy:
    steps = load_policy("default").detection.steps
    assert steps is not None
    return steps


POLICY = default_steps()


def signatures(command: str | None, cwd: str = "", tool: str | None = "Bash") -> list[str]:
    return [match.signature for match in step_signatures(tool, command, cwd, None, POLICY)]


@pytest.mark.parametrize(
    "command",
    [
        "pytest",
        ".venv/bin/pytest -q",
        "py.test",
        "python -m pytest",
        "python3.11 -W ignore -m pytest -k 'a b'",
        "python -mpytest",
        "sudo -u ci -E pytest",
        "env -u A B=1 C='x y' pytest",
        "A=1 B=$(x) pytest > out 2>&1",
        "time -p pytest",
        "time -p (pytest)",
        "time { pytest; }",
        "time ! pytest",
        "C:/project/.venv/Scripts/python.exe -m pytest",
        "timeout -k 5 --signal=KILL 60 pytest",
        "nohup pytest &",
        "xargs -n 1 -P4 -I{} pytest {}",
        "uv run --with x --frozen pytest",
        "uv run -m pytest",
        "poetry run pytest",
        "pipenv run python -m pytest",
        "docker exec -it -w /x -e A=b web pytest",
        "docker compose -f a.yml exec -T web pytest",
        "bash -c 'pytest'",
        "bash -lc 'cd x && pytest'",
        "sh -ec 'pytest'",
        "ssh -p 22 -i key me@host 'cd x && pytest'",
        "ssh host pytest -q",
        'sudo env A=1 timeout 5 docker exec c bash -c "uv run pytest"',
        "# run pytest\npytest # not npm test",
        "if pytest; then true; fi",
        "while ! pytest; do sleep 1; done",
        "(pytest)",
        "echo start; pytest",
        "python .venv/bin/pytest",
    ],
)
def test_a_runner_is_found_behind_whatever_starts_it(command: str) -> None:
    assert signatures(command) == ["test:pytest:all"]


@pytest.mark.parametrize(
    "command",
    [
        "echo pytest",
        "printf 'pytest'",
        "A=pytest",
        "# pytest",
        'echo "$(pytest)"',
        "X=$(pytest)",
        ": pytest",
        "test -f pytest && [ -f x ] && [[ -f y ]]",
        "cd pytest",
        "kill -9 1; wait; sleep 5; exit 1",
        "",
        "   \n ",
    ],
)
def test_what_runs_nothing_has_no_operation(command: str) -> None:
    assert signatures(command) == []


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("npm test", ["test:npm:all"]),
        ("yarn t", ["test:yarn:all"]),
        ("npm --prefix app/client run test:unit -- --watch", ["test:npm:frontend"]),
        ("pnpm run test-e2e", ["test:pnpm:all"]),
        ("npm run testing", ["run:npm:all"]),
        ("bun run build", ["build:bun:all"]),
        ("npm run lint:fix && yarn run format", ["format:npm:all", "format:yarn:all"]),
        ("npx --yes vitest run", ["test:vitest:all"]),
        ("npx tsc --noEmit", ["build:typecheck:all"]),
        ("go test ./...", ["test:go:all"]),
        ("cargo +nightly test", ["test:cargo:all"]),
        ("make CC=gcc test", ["test:make:all"]),
        ("make -j 4", ["build:make:all"]),
        ("python manage.py test app", ["test:django:all"]),
        ("python -m django test", ["test:django:all"]),
        ("django-admin test", ["test:django:all"]),
        ("./manage.py migrate", ["run:manage.py:all"]),
        ("python manage.py migrate", ["run:python:all"]),
        ("docker build app/server", ["build:docker:backend"]),
        ("docker compose up -d", ["deploy:docker:all"]),
        ("docker exec -it web", ["deploy:docker:all"]),
        ("terraform -chdir=infra/web plan", ["deploy:terraform:frontend"]),
        ("git -C x --no-pager log -3", ["git:log:summary"]),
        ("git --version", ["run:git:all"]),
        ("gh -R a/b pr view 1", ["github:pr:repo"]),
        ("pip3 install -U x", ["deps:pip:update"]),
        ("uv pip install x", ["deps:uv:update"]),
        ("uv add x", ["deps:uv:update"]),
        ("npm i", ["deps:npm:update"]),
        ("apt-get -y install x", ["deps:apt:update"]),
        ("poetry show", ["inspect:poetry:files"]),
        ("uv pip list", ["inspect:uv:files"]),
        ("sed -i.bak s/a/b/ f", ["edit:sed:files"]),
        ("sed -ni p f", ["edit:sed:files"]),
        ("sed --in-place=.bak s/a/b/ f", ["edit:sed:files"]),
        ("sed -n -e 's/i/j/p' f", ["inspect:sed:files"]),
        ("sed -es/i/j/ f", ["inspect:sed:files"]),
        ("python -m json.tool < f | head", ["inspect:head:files", "inspect:jq:files"]),
        ("cat f | jq . | sort", ["inspect:cat:files", "inspect:jq:files", "inspect:sort:files"]),
        ("echo x | tr a b", ["inspect:tr:files"]),
        ("python -c 'import pytest'", ["run:python:all"]),
        ("python - <<EOF\npytest\nEOF", ["run:python:all"]),
        ("python -m unknown.module", ["run:python:all"]),
        ("python x.py pytest", ["run:python:all"]),
        ("uv run --with x scripts/x.py", ["run:python:all"]),
        ("node x.js", ["run:node:all"]),
        ("bash x.sh", ["run:bash:all"]),
        ("./Run_It!.SH", ["run:run_it-.sh:all"]),
        ("env", ["run:env:all"]),
        ("$TOOL x", ["run:-tool:all"]),
    ],
)
def test_programs_and_sub_commands_mean_what_the_table_says(command: str, expected: list[str]) -> None:
    assert signatures(command) == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("cat > f <<EOF\nx\nEOF", ["edit:write:files"]),
        ("echo x >> f", ["edit:write:files"]),
        ("printf x &> f", ["edit:write:files"]),
        ("cat f > /dev/null", ["inspect:cat:files"]),
        ("cat f 2> log", ["inspect:cat:files"]),
        ("echo x >&2", []),
        ("echo x | tee f", ["edit:write:files"]),
        ("echo x | sudo tee -a /etc/f", ["edit:write:files"]),
        ("ls > f", ["inspect:ls:files"]),
        ("{ echo a; cat b; } > f", ["edit:write:files"]),
        ("for i in 1 2; do echo $i; done > f", ["edit:write:files"]),
        ("cat > fix.py <<EOF && python fix.py\nx\nEOF", ["run:python:all", "edit:write:files"]),
        ("mkdir -p x && pytest", ["test:pytest:all", "edit:mkdir:files"]),
        ("git status && git add . && ls", ["git:add:repo", "git:status:summary", "inspect:ls:files"]),
        ("ls | sort; sort x | ls; ls", ["inspect:ls:files", "inspect:sort:files"]),
    ],
)
def test_writing_to_a_file_is_an_edit_and_the_best_rank_names(command: str, expected: list[str]) -> None:
    assert signatures(command) == expected


@pytest.mark.parametrize(
    ("command", "cwd", "side"),
    [
        ("pytest server", "", "backend"),
        ("pytest tests/test_server.py", "", "all"),
        ("pytest app/client/server/tests/test_x.py::TestX::test_y", "", "backend"),
        ("pytest app/web-server/", "", "backend"),
        ("pytest app/server app/client", "", "both"),
        ("pytest -k client app/server", "", "backend"),
        ("pytest --ignore app/client app/server", "", "backend"),
        ("pytest --rootdir app/server tests", "/x/client", "backend"),
        ("cd app/server && pytest tests", "/x/client", "backend"),
        ("cd app && pytest", "/x/client", "frontend"),
        ("(cd app/server); pytest", "", "all"),
        ("bash -c 'cd app/server && pytest'", "", "backend"),
        ("cd app/server && bash -c pytest", "", "backend"),
        ("make server", "", "all"),
        ("make -C app/server", "", "backend"),
        ("cargo test --manifest-path app/server/Cargo.toml", "", "backend"),
        ("pytest observer/clients apiary", "", "all"),
        ("pytest", "/x/UI", "frontend"),
        ("docker pull https://host/server/x", "", "all"),
    ],
)
def test_directories_decide_the_target(command: str, cwd: str, side: str) -> None:
    [signature] = signatures(command, cwd)
    assert signature.rpartition(":")[2] == side


@pytest.mark.parametrize(
    ("tool", "command", "expected"),
    [
        ("Read", None, ["tool:read:files"]),
        ("multiedit", None, ["tool:multiedit:files"]),
        ("WebFetch", None, ["tool:webfetch:web"]),
        ("TodoWrite", None, ["tool:todowrite:plan"]),
        ("Agent", None, ["tool:task:agent"]),
        ("SlashCommand", "/test", ["tool:slashcommand:session"]),
        ("mcp__git_hub__create__issue", None, ["mcp:git_hub:create__issue"]),
        ("mcp__Ser ver", None, ["mcp:ser-ver:-"]),
        ("execute_bash", "ls", ["inspect:ls:files"]),
        ("my_terminal", "ls", ["inspect:ls:files"]),
        ("my_tool", None, ["tool:my_tool:all"]),
        (None, "ls", ["inspect:ls:files"]),
        (None, None, []),
        ("Bash", None, []),
    ],
)
def test_tools_are_told_apart(tool: str | None, command: str | None, expected: list[str]) -> None:
    assert signatures(command, tool=tool) == expected


def test_evidence_is_the_words_that_decided_not_the_command() -> None:
    [found] = step_signatures("Bash", "uv run npm --prefix x run test:unit -- secret", None, None, POLICY)
    assert (found.rule_id, found.text) == ("step.test.script", "npm run test")


def test_commands_inside_commands_are_followed_to_a_bound() -> None:
    command = "pytest"
    for _ in range(20):
        command = "ssh host " + command
    assert signatures(command) == []


STEP_WORDS = [
    "sudo",
    "env",
    "timeout",
    "5",
    "docker",
    "exec",
    "compose",
    "bash",
    "-c",
    "uv",
    "run",
    "python",
    "-m",
    "pytest",
    "git",
    "gh",
    "sed",
    "-i",
    "npm",
    "test",
    "run:x",
    "$(",
    "'",
    '"',
    ";",
    "|",
    ">",
    "f",
    "\x00",
    "\ud800",
    "\xe9",
    "=",
    "-",
    "--",
    "--x=",
    "a=",
    "(",
    ")",
    "\n",
]
STEP_TEXT = st.text() | st.lists(st.sampled_from(STEP_WORDS)).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(st.none() | st.just("Bash") | st.text(), st.none() | STEP_TEXT, st.none() | st.text(), st.none() | st.text())
def test_any_step_gives_well_formed_storable_rows(
    tool: str | None, command: str | None, cwd: str | None, params: str | None
) -> None:
    step = read_step(tool, command, cwd, params, POLICY)
    found = [match.signature for match in step.matches]
    assert len(found) == len(set(found))
    assert all(SIGNATURE.fullmatch(signature) and len(signature) < 200 for signature in found)
    for text in (
        step.template.text,
        *(match.text for match in step.matches),
        *(slot.value for slot in step.template.slots),
    ):
        assert "\0" not in text
        text.encode()


def steps(*rows: tuple[str, int, str | None, str | None, str | None, str | None]) -> pl.DataFrame:
    names = ("workflow_id", "step_seq", "tool_name", "command", "cwd", "tool_params")
    schema = {name: pl.Int32 if name == "step_seq" else pl.String for name in names}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_the_detector_agrees_with_reading_each_step_alone() -> None:
    frame = steps(
        ("b", 0, "Bash", "ls && git diff", None, '{"description": "one"}'),
        ("b", 1, "Bash", "echo", None, None),
        ("a", 0, "Bash", "ls && git diff", None, '{"description": "two"}'),
        ("a", 1, "Bash", "pytest", "/x/server", None),
        ("a", 2, "Bash", "pytest", "/x/client", None),
        ("a", 3, "Read", None, None, '{"file_path": "a/b.py"}'),
        ("a", 4, None, None, None, None),
    )
    detector = StepDetector(POLICY)
    found = detector.detect_steps(frame)
    assert found.schema == DETECTED
    expected = [
        (workflow, seq, part, "step", match.rule_id, match.text, match.signature, None if part else step.template.text)
        for workflow, seq, *call in frame.iter_rows()
        for step in [read_step(*call, POLICY)]
        for part, match in enumerate(step.matches)
    ]
    assert found.rows() == expected
    assert detector.detect_steps(frame).equals(found)
    assert detector.detect_steps(frame.clear()).schema == DETECTED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rules": [{"id": "a", "programs": ["x"], "signature": "test:{progam}:all"}]}, "unknown placeholder"),
        ({"rules": [{"id": "a", "programs": ["x"], "signature": "other:x:all"}]}, "without a rank"),
        ({"rules": [{"id": "a", "programs": ["x"], "signature": "test:x"}]}, "String should match"),
        ({"rules": [{"id": "a", "programs": ["x"], "signature": "test:x:all"}] * 2}, "duplicate rule id"),
        ({"naming": [["run", "edit"], ["run"]]}, "more than once"),
        ({"nonsense": 1}, "Extra inputs"),
    ],
)
def test_a_faulty_table_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        StepPolicy.model_validate(POLICY.model_dump() | change)
