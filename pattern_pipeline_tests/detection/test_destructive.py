from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_pipeline.detection import destructive
from pattern_pipeline.detection.destructive import SHOWN, destructive_commands
from pattern_pipeline.detection.policy import load_policy

POLICY = load_policy("default")


def found(*commands: str, tool: str | None = "Bash") -> tuple[str, ...]:
    return destructive_commands([(tool, command) for command in commands], POLICY)


@pytest.mark.parametrize(
    "command",
    [
        "rm -rf build",
        "rm -fr -- build",
        "rm --recursive build",
        "rm build -r",
        "cd app && sudo rm -Rf build",
        "bash -c 'cd app; rm -rf build'",
        "ssh host 'bash -c \"rm -rf build\"'",
        "ls *.log | xargs -n 1 rm -rf",
        "if true; then rm -rf build; fi",
        "find . -name '*.pyc' -delete",
        "find . -type d -exec rm {} +",
        "git push --force",
        "git -C repo push -f origin main",
        "git push --force-with-lease=main origin main",
        "git push origin +main",
        "git push origin :old",
        "git -c a.b=c push -uf origin main",
        "git reset --hard HEAD~1",
        "git clean -fdx",
        "git branch -D old",
        "git stash drop",
        "psql -c 'DROP TABLE users'",
        "psql app -c 'begin; drop  table users; commit'",
        "psql --command='truncate users'",
        "mysql -e'drop table users'",
        "mysql -e 'DELETE FROM users;'",
        "sqlite3 a.db 'Drop Table x'",
        "docker exec db psql -U me -c 'DROP DATABASE app'",
        "docker compose -f a.yml down -v",
        "docker system prune -af",
        "kubectl -n prod delete pod web",
        "terraform destroy -auto-approve",
        "redis-cli -h db FLUSHALL",
        "dd if=a.img of=/dev/sda",
        "rsync -a --delete a/ b/",
        "aws s3 rm --recursive s3://bucket/x",
        "/bin/rm -rf build",
        "r'm' -rf build",
        '"git" pu\\sh --force',
    ],
)
def test_a_command_that_destroys_is_found_however_it_is_run(command: str) -> None:
    assert len(found(command)) == 1


@pytest.mark.parametrize(
    "command",
    [
        "rm build/a.o",
        "rm -f a.o",
        "echo 'rm -rf build'",
        "git commit -m 'rm -rf build; git push --force'",
        "git push origin main",
        "git push -n --force",
        "git log --force push",
        "git reset --soft HEAD~1",
        "git clean -nfd",
        "git branch -d merged",
        "grep -r 'DROP TABLE' sql",
        "psql -c 'select 1 -- drop table users'",
        "psql -c 'DELETE FROM users WHERE id = 1'",
        "psql -c 'select * from drop_table'",
        "docker compose down",
        "find . -name rm.txt",
        "dd if=a of=b",
        "# rm -rf build",
        "rsync -an --delete a/ b/",
        "rm() { true; }; rm -rf build",
        "",
    ],
)
def test_what_only_looks_like_it_is_not(command: str) -> None:
    assert found(command) == ()


def test_the_commonest_come_first_and_each_once() -> None:
    assert found("rm -rf a", "git reset --hard && rm -rf b", "rm -rf b") == ("rm -rf b", "git reset --hard", "rm -rf a")
    assert len(found(*(f"rm -rf {name}" for name in range(SHOWN + 1)))) == SHOWN


def test_only_a_shell_runs_commands() -> None:
    assert found("rm -rf a", tool="Read") == ()
    assert found("rm -rf a", tool=None) == ("rm -rf a",)


def test_a_policy_without_a_step_layer_knows_no_programs() -> None:
    assert destructive_commands([("Bash", "rm -rf a")], load_policy("legacy")) == ()


@given(
    st.text()
    | st.lists(st.sampled_from(["rm", "-rf", "git", "push", "-c", "'", ";", "psql", "$(", "bash"])).map(" ".join)
)
def test_any_text_is_read(command: str) -> None:
    assert all(len(text) <= 200 and "\0" not in text for text in found(command))


@given(
    st.lists(
        st.sampled_from(
            ["rm", "/bin/rm", "r'm'", "-rf", "git", "push", 'p"u"sh', "--force", "psql", "-c", "drop table x"]
        )
        | st.sampled_from(
            ["'", '"', "\\", "\n", ";", "$(", ")", "bash", "sudo", "|", "xargs", "find", "-delete", "a=b"]
        )
    ),
    st.sampled_from(["", " "]),
)
def test_no_command_is_passed_over_that_parses_to_a_destructive_one(words: list[str], between: str) -> None:
    command, steps, rules = between.join(words), POLICY.detection.steps, POLICY.detection.destructive
    assert steps is not None
    if any(destructive._destructive(command, rules, steps)):
        assert destructive._may_be(command, destructive._names(rules, steps))
