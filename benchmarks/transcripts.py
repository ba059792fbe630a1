"""How fast transcripts are read: ``python -m benchmarks.transcripts [MEGABYTES] [FILES]``.

Generated sessions of the size and shape of real ones (long results that stand twice in their line, parallel calls, a
prompt every thirty lines) are read by the reader of Claude Code transcripts, redaction and canonical frames included,
and compared with nothing but parsing the same lines. The goal's denominator is the parser of the standard library;
the ratio to orjson, which the reader itself uses, is told as well. Times are those of the processor, all threads
together. With one file the files that are too large to be held in memory are measured. Peak memory is that of the
whole process.
"""

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from benchmarks.results import report
from pattern_pipeline.history.readers import ReadOptions, discover
from pattern_pipeline.history.readers.claude_code import ClaudeCodeReader

REPEATS = 3
MEGABYTE = 1 << 20
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
COMMANDS = (
    "pytest -q tests/test_{0}.py",
    "git status",
    "ruff check src",
    "sed -n '{0},+40p' src/app.py",
    "npm run build",
)
WORDS = (
    "def",
    "return",
    "import",
    "assert",
    "value",
    "error",
    "line",
    "test",
    "passed",
    "failed",
    "module",
    "(",
    ")",
    ":",
)


def session_lines(name: str, rng: random.Random) -> Iterator[dict[str, object]]:
    """Lines of a session without end."""
    number = 0
    parent = None
    while True:
        turn, kind = divmod(number, 30)
        call = f"{name}-{number // 3}"
        base = {
            "parentUuid": parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": f"/home/user/{name[:4]}",
            "sessionId": name,
            "version": "2.0.76",
            "gitBranch": "main",
            "uuid": f"{name}-{number:08d}-aaaa-bbbb",
            "timestamp": (BEGIN + timedelta(seconds=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        parent = base["uuid"]
        output = " ".join(rng.choices(WORDS, k=rng.choice((20, 60, 400))))
        if kind == 0:
            yield {**base, "type": "user", "message": {"role": "user", "content": f"fix the test {turn} in {output}"}}
        elif number % 3 == 2:
            block = {"tool_use_id": f"toolu_{call}", "type": "tool_result", "content": output, "is_error": False}
            result = {"stdout": output, "stderr": "", "interrupted": False, "isImage": False}
            yield {**base, "type": "user", "message": {"role": "user", "content": [block]}, "toolUseResult": result}
        else:
            command = rng.choice(COMMANDS).format(number % 50)
            content: dict[str, object] = {"type": "text", "text": output}
            if number % 3 == 1:
                given = {"command": command, "description": "Run it"}
                content = {"type": "tool_use", "id": f"toolu_{call}", "name": "Bash", "input": given}
            usage = {
                "input_tokens": 3,
                "cache_creation_input_tokens": 800,
                "cache_read_input_tokens": 20_000,
                "cache_creation": {"ephemeral_5m_input_tokens": 800, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 1 if number % 3 == 0 else 250,
                "service_tier": "standard",
            }
            message = {
                "model": "claude-opus-4-5-20251101",
                "id": f"msg_{call}",
                "type": "message",
                "role": "assistant",
                "content": [content],
                "stop_reason": None,
                "usage": usage,
            }
            yield {**base, "type": "assistant", "requestId": f"req_{call}", "message": message}
        number += 1


def write_files(folder: Path, megabytes: int, files: int) -> None:
    """Writes a project directory."""
    rng = random.Random(1)
    for index in range(files):
        name = f"{index:04d}-4c1b-a58e-{rng.randrange(1 << 40):010x}"
        left = megabytes * MEGABYTE // files
        with (folder / f"{name}.jsonl").open("wb") as stream:
            for line in session_lines(name, rng):
                left -= stream.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
                if left <= 0:
                    break


def parse_only(folder: Path, loads: Callable[[bytes], object]) -> float:
    """Seconds for parsing every line, and nothing else."""
    started = time.process_time()
    for path in sorted(folder.iterdir()):
        with path.open("rb") as stream:
            for line in stream:
                loads(line)
    return time.process_time() - started


def read_all(folder: Path) -> tuple[float, int, int]:
    """Seconds for canonical batches of everything, and how many runs and steps they hold."""
    reader = ClaudeCodeReader()  # It keeps what it read last.
    started = time.process_time()
    runs = steps = 0
    for location in discover(str(folder)):
        for batch in reader.read(location, ReadOptions()):
            runs += batch.runs.height
            steps += batch.steps.height
    return time.process_time() - started, runs, steps


def main(megabytes: int = 200, files: int = 40) -> None:
    """Print rates, their ratios and the peak memory."""
    name = f"transcripts, {megabytes} MB"
    standard, quick, rates = [], [], []
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        write_files(folder, megabytes, files)
        for _ in range(REPEATS):
            reading, runs, steps = read_all(folder)
            standard.append(reading / parse_only(folder, json.loads))
            quick.append(reading / parse_only(folder, orjson.loads))
            rates.append(megabytes / reading)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{megabytes} MB in {files} files: {runs:,} runs, {steps:,} steps, {REPEATS} repeats")
    for result in (
        report(f"{name}: read", standard, reference="json.loads of the same lines", goal=3, gated=True),
        report(f"{name}: read, other reference", quick, reference="orjson.loads of the same lines"),
        report(f"{name}: rate", rates, unit="MB/s"),
        report(f"{name}: peak memory", peak, unit="MB", goal=500, gated=True),
    ):
        print(f"{result.name}: {result.median:.1f} {result.unit} {result.spread} {result.reference or ''}".rstrip())


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
