"""The documents as data: their links, headings and fenced blocks. What is asserted about them is in the tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from pattern_pipeline.settings import PROJECT_ROOT

LANGUAGES = {"console", "csv", "toml", "json", "jsonl", "yaml", "ini", "text"}
"""Of fenced blocks. A name behind the language is a file of that content, there for the commands of the document."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it stands for if any, its text and its first line."""

    language: str
    file: str | None
    text: str
    line: int

    @property
    def commands(self) -> list[str]:
        """The lines behind a prompt, continued lines joined; none when the block is no console."""
        if self.language != "console":
            return []
        joined = re.sub(r"\\\n\s*", "", self.text)
        return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def paths() -> list[Path]:
    """Every Markdown file that a reader may open, relative to the root."""
    found = [*PROJECT_ROOT.glob("*.md"), *PROJECT_ROOT.glob("docs/**/*.md"), *PROJECT_ROOT.glob("deploy/**/*.md")]
    return sorted(path.relative_to(PROJECT_ROOT) for path in found)


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a document in order."""
    return [
        Block(*_language(token.info), token.content, token.map[0] + 1 if token.map else 0)
        for token in _tokens(path)
        if token.type == "fence"
    ]


def links(path: Path) -> list[str]:
    """The targets of a document's links and pictures."""
    return [str(target) for token in _inline(path) if (target := token.attrGet("href") or token.attrGet("src"))]


def inline_code(path: Path) -> list[str]:
    """What stands between backticks in the text of a document."""
    return [token.content for token in _inline(path) if token.type == "code_inline"]


def anchors(path: Path) -> set[str]:
    """What a link into the document may name: its headings, as GitHub spells them."""
    tokens = _tokens(path)
    headings = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _language(info: str) -> tuple[str, str | None]:
    language, _, file = info.strip().partition(" ")
    return language, file or None


def _tokens(path: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse((PROJECT_ROOT / path).read_text(encoding="utf-8"))


def _inline(path: Path) -> Iterator[Token]:
    for token in _tokens(path):
        yield from token.children or ()
