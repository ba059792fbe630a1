from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pattern_pipeline.detection.shell import MAX_LENGTH, parse
from pattern_pipeline.detection.shell_model import Script, SimpleCommand

HOSTILE = {
    "brackets": "(" * 1_000_000,
    "braces": "{ " * 500_000,
    "closing brackets": ")" * 1_000_000,
    "substitutions": "$(" * 500_000,
    "quoted substitutions": '"$(' * 300_000,
    "parameter expansions": "${" * 500_000,
    "back ticks": "`" * 999_999,
    "double quotes": '"' * 999_999,
    "single quotes": "'" * 999_999,
    "back slashes": "\\" * 999_999,
    "here-documents": "<<A " * 250_000,
    "here-documents with lines": "cat <<A\n" * 120_000,
    "substituted here-documents": "$(cat <<A\n" * 100_000,
    "pipes": "|" * 1_000_000,
    "ifs": "if " * 300_000,
    "closers": "done " * 200_000,
    "ands": "a &&" * 250_000,
    "arithmetic": "((" * 500_000,
    "half arithmetic": "((a " * 250_000,
    "one word": "a" * 1_000_000,
    "assignments": "a=(" * 300_000,
    "redirections": "> " * 500_000,
    "directories": "cd a; " * 160_000,
    "functions": "f() " * 250_000,
    "cases": "case x in " * 100_000,
    "tests": "[[ " * 300_000,
    "NUL": "\0" * 1_000_000,
    "lone surrogate": "echo \ud800 && ls \udfff" * 1_000,
    "empty": "",
    "blank": " \t\n\r" * 100_000,
}


def words(script: Script) -> list[list[str]]:
    return [command.words for command in script.commands]


def only(text: str) -> SimpleCommand:
    [command] = parse(text).commands
    return command


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a && b || c; d & e\nf", ["a", "b", "c", "d", "e", "f"]),
        ("a | b |& c", ["a", "b", "c"]),
        ("(a; b) && { c; d; }", ["a", "b", "c", "d"]),
        ("if a; then b; elif c; then d; else e; fi; f", ["a", "b", "c", "d", "e", "f"]),
        ("while a; do b; done; until c; do d; done", ["a", "b", "c", "d"]),
        ("for x in 1 2; do a; done\nfor x\ndo b\ndone\nfor ((i=0; i<3; i++)); do c; done", ["a", "b", "c"]),
        ("select x in 1 2; do a; done", ["a"]),
        ("case $x in a|b) c;; (d) e;; *) f; esac; g", ["c", "e", "f", "g"]),
        ("[[ -f x && $y =~ ^(a|b)$ ]] && a; ((i++)); b", ["a", "b"]),
        ("! a | b", ["a", "b"]),
        ("# a\nb # && c\nd#e", ["b", "d#e"]),
        ("a |\n b &&\n c", ["a", "b", "c"]),
        ("a \\\n && b", ["a", "b"]),
        ("x=$(a; b) y=`c` d", ["d"]),
        ('echo "$(a && b)" && c', ["echo", "c"]),
        ("diff <(a) <(b) | c", ["diff", "c"]),
        ("a=(1 2 3) b", ["b"]),
        ("time (a; b)", ["a", "b"]),
        ("a\r\nb", ["a", "b"]),
    ],
)
def test_simple_commands_are_found_in_every_construct(text: str, expected: list[str]) -> None:
    script = parse(text)
    assert [command.words[0] for command in script.commands if command.words] == expected
    assert script.complete


def test_functions_are_read_where_they_are_defined() -> None:
    script = parse("f() { a; }; function g { b; }; function h() { c; }; f")
    assert [command.words[0] for command in script.commands] == ["a", "b", "c", "f"]
    assert script.functions == {"f", "g", "h"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a b'", "a b"),
        ('"a \\"b\\" $x"', 'a "b" $x'),
        ("a\\ b", "a b"),
        ("a'b'\"c\"$d", "abc$d"),
        ("$'a\\'b'", "a\\'b"),
        ('"$(echo "a b")"', '$(echo "a b")'),
        ('"${x:-it\'s}"', "${x:-it's}"),
        ("$((1 << 2))", "$((1 << 2))"),
        ("\"$(cat <<'EOF'\nit's ) here\nEOF\n)\"", "$(cat <<'EOF'\nit's ) here\nEOF\n)"),
        ("a\\\nb", "ab"),
        ("''", ""),
    ],
)
def test_quotes_are_removed_from_words(text: str, value: str) -> None:
    script = parse(f"run {text} && next")
    assert words(script) == [["run", value], ["next"]]
    assert script.complete


@pytest.mark.parametrize(
    "text",
    [
        "cat > f <<'EOF' && run f; next\nit's $(not ) read\nEOF\nlast",
        "cat > f <<-EOF && run f; next\n\tdon't\n\tEOF\nlast",
        "cat > f <<A <<B && run f; next\nit's\nA\nisn't\nB\nlast",
    ],
)
def test_here_documents_are_dropped_and_their_line_goes_on(text: str) -> None:
    script = parse(text)
    assert words(script) == [["cat"], ["run", "f"], ["next"], ["last"]]
    assert script.complete


def test_assignments_and_redirections_are_no_words() -> None:
    command = only("A=1 B='x y' run >out 2>&1 <in arg &>>log")
    assert command.words == ["run", "arg"]
    assert command.assignments == ["A=1", "B=x y"]
    assert [(item.descriptor + item.operator, item.target) for item in command.redirections] == [
        (">", "out"),
        ("2>&", "1"),
        ("<", "in"),
        ("&>>", "log"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > x", ["x"]),
        ("a 2> x", [None]),
        ("a 2>&1", [None]),
        ("a >& x", ["x"]),
        ("a | b > x", [None, "x"]),
        ("{ a; b; } > x", ["x", "x"]),
        ("{ a | b; c > y; } > x", [None, "x", "y"]),
        ("while a; do b; done < in > x", ["x", "x"]),
    ],
)
def test_output_goes_where_the_nearest_redirection_says(text: str, expected: list[str | None]) -> None:
    assert [command.context.output for command in parse(text).commands] == expected


def test_members_of_pipelines_are_known_also_inside_groups() -> None:
    script = parse("a; { b; (c); } | d; e")
    assert [command.context.piped for command in script.commands] == [False, True, True, True, False]


@pytest.mark.parametrize(
    ("text", "directory"),
    [
        ("cd a && run", "a"),
        ("cd a; cd b && run", "a/b"),
        ("cd a/b; cd ..; run", "a"),
        ("cd a; cd /b; run", "/b"),
        ("cd a; cd -; run", ""),
        ("cd; run", "~"),
        ("cd -P a; run", "a"),
        ("(cd a); run", ""),
        ("(cd a; run)", "a"),
        ("{ cd a; }; run", "a"),
        ("if cd a; then run; fi", "a"),
        ("cd a | b; run", ""),
        ("cd a && b & run", ""),
        ("pushd a; popd; run", ""),
        ("for x in 1; do cd a; done; run", "a"),
    ],
)
def test_cd_holds_until_its_subshell_ends(text: str, directory: str) -> None:
    [command] = [command for command in parse(text).commands if command.words == ["run"]]
    assert command.directory == directory


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a && b 'c d", [["a"], ["b", "c d"]]),
        ('a && b "c $(d', [["a"], ["b", "c $(d"]]),
        ("a; cat <<EOF\nb", [["a"], ["cat"]]),
        ("if a; then b", [["a"], ["b"]]),
        ("(a; b", [["a"], ["b"]]),
        ("a )) && b", [["a"], ["b"]]),
        ("a; done; b", [["a"], ["b"]]),
        ("case x in a) b", [["b"]]),
        ("[[ a", []),
    ],
)
def test_incomplete_text_yields_what_could_be_read(text: str, expected: list[list[str]]) -> None:
    script = parse(text)
    assert words(script) == expected
    assert not script.complete


def test_long_text_is_cut_and_flagged() -> None:
    script = parse("a; " * MAX_LENGTH)
    assert not script.complete
    assert sum(1 for _ in script.commands) <= MAX_LENGTH


def calls(action: Callable[[str], object], text: str) -> int:
    """Functions called, Python's and C's: work that is the same on every machine."""
    count = 0

    def counted(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        action(text)
    finally:
        sys.setprofile(before)
    return count


def assert_linear(action: Callable[[str], object], text: str) -> None:
    """Twice the text is twice the work at most, but for a constant."""
    action(text[:4_096])  # what is computed once is not counted
    assert calls(action, text[:4_096]) <= 2.05 * calls(action, text[:2_048]) + 100


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_read_in_linear_time(name: str) -> None:
    assert_linear(parse, HOSTILE[name])


@pytest.mark.parametrize("name", HOSTILE)
def test_of_a_longer_text_only_the_beginning_is_read(name: str) -> None:
    text = HOSTILE[name]
    script = parse(text)
    assert words(script) == words(parse(text[:MAX_LENGTH]))
    assert not (script.complete and len(text) > MAX_LENGTH)


SHELL_WORDS = [
    "if",
    "then",
    "fi",
    "for",
    "x",
    "in",
    "do",
    "done",
    "case",
    "esac",
    "{",
    "}",
    "(",
    ")",
    "[[",
    "]]",
    "((",
    "))",
    "&&",
    "||",
    "|",
    ";",
    ";;",
    "\n",
    "<<E",
    "E\n",
    ">",
    "f",
    "'a'",
    '"$(',
    "`",
    "cd",
    "a",
    "function",
    "f()",
    "!",
]
SHELL_CHARACTERS = "abcd $\"'`(){}[]<>|&;#\\\n\t=-!/EOF\0\ud800é"
SHELL_TEXT = st.text(st.sampled_from(SHELL_CHARACTERS)) | st.lists(st.sampled_from(SHELL_WORDS)).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(SHELL_TEXT | st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    script = parse(text)
    assert all(isinstance(word, str) for command in script.commands for word in command.words)


@settings(max_examples=100, deadline=None)
@given(SHELL_TEXT)
def test_quoting_a_text_makes_it_one_word(text: str) -> None:
    quoted = "'" + text.replace("'", "'\\''") + "'"
    script = parse(f"run {quoted}")
    assert words(script) == [["run", text]]
    assert script.complete
