"""Policies: one TOML file that holds every rule and every number of the pipeline.

Loading, inheritance (`extends`), error messages and the version hashes of the sections belong here. What a section may
contain is the matter of its own model: `text_policy`, `steps_policy`, `sequence_policy`, `queue_policy`,
`redaction_policy` and `economics.assumptions`.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from pattern_pipeline.detection.queue_policy import QueuePolicy
from pattern_pipeline.detection.redaction_policy import RedactionPolicy
from pattern_pipeline.detection.sequence_policy import SequencePolicy
from pattern_pipeline.detection.text_policy import DetectionPolicy, PolicyModel
from pattern_pipeline.economics.assumptions import ConfidencePolicy, RoiPolicy
from pattern_pipeline.errors import InvalidInput

Stage = Literal["detection", "confidence", "roi", "queue", "redaction"]

ENGINE_VERSIONS: Final[Mapping[Stage, int]] = {"detection": 1, "confidence": 1, "roi": 1, "queue": 1, "redaction": 1}
"""Raised when the code of a stage gives other results for the same policy, so that its rows are computed anew."""

_SHIPPED: Final = Path(__file__).parent / "policies"


class Policy(PolicyModel):
    """A whole policy. Each stage's version changes with its own sections only."""

    detection: DetectionPolicy
    sequences: SequencePolicy
    confidence: ConfidencePolicy
    roi: RoiPolicy
    queue: QueuePolicy
    redaction: RedactionPolicy

    @cached_property
    def detection_version(self) -> str:
        """12 hexadecimal digits that stand for `[detection]` and `[sequences]`."""
        return self._version("detection")

    @cached_property
    def confidence_version(self) -> str:
        """12 hexadecimal digits that stand for `[confidence]`."""
        return self._version("confidence")

    @cached_property
    def roi_version(self) -> str:
        """12 hexadecimal digits that stand for `[roi]`."""
        return self._version("roi")

    @cached_property
    def queue_version(self) -> str:
        """12 hexadecimal digits that stand for `[queue]`."""
        return self._version("queue")

    @cached_property
    def redaction_version(self) -> str:
        """12 hexadecimal digits that stand for `[redaction]`."""
        return self._version("redaction")

    def document(self, stage: Stage) -> str:
        """The stage's sections as canonical JSON: what its version is the hash of, besides the engine's version."""
        sections: dict[str, BaseModel] = {stage: getattr(self, stage)}
        if stage == "detection":
            sections["sequences"] = self.sequences
        return json.dumps(_canonical(sections), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def _version(self, stage: Stage) -> str:
        content = f"{ENGINE_VERSIONS[stage]}\n{self.document(stage)}"
        return hashlib.sha256(content.encode()).hexdigest()[:12]


def exclusion(policy: Policy, signature: str) -> str | None:
    """The reason code for which a signature is never proposed for automation. None: it may be."""
    return policy.detection.exclusion(signature)


def shipped_policies() -> list[str]:
    """Names of the policies inside the package."""
    return sorted(path.stem for path in _SHIPPED.glob("*.toml"))


def load_policy(name_or_path: str) -> Policy:
    """Load a shipped policy by name or a user's own file by path.

    Raises:
        InvalidInput: The file cannot be read, or does not fit; the message names the file, the key and what is allowed.
    """
    path = _locate(name_or_path)
    document = _resolved(path, ())
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        raise InvalidInput("\n".join(_explained(path, document, error))) from error


def _locate(name_or_path: str, beside: Path | None = None) -> Path:
    if name_or_path in shipped_policies():
        return _SHIPPED / f"{name_or_path}.toml"
    path = Path(name_or_path).expanduser()
    path = path if beside is None else beside / path
    if not path.is_file():
        raise InvalidInput(
            f"policy {name_or_path!r}: no such file, nor a shipped policy ({', '.join(shipped_policies())})"
        )
    return path


def _resolved(path: Path, descendants: tuple[Path, ...]) -> dict[str, Any]:
    """The file's content laid over that of the policy it extends."""
    if path.resolve() in descendants:
        raise InvalidInput(f"{path}: extends: the policy extends itself")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"{path}: cannot be read as TOML: {error}") from error
    base = content.pop("extends", None)
    if base is None:
        return content
    if not isinstance(base, str):
        raise InvalidInput(f"{path}: extends: must be the name or path of a policy, allowed: a string")
    return _overlaid(_resolved(_locate(base, path.parent), (*descendants, path.resolve())), content, path, ())


def _overlaid(base: dict[str, Any], over: dict[str, Any], file: Path, key: tuple[str, ...]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        known = base.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            merged[name] = _overlaid(known, value, file, (*key, name))
        elif isinstance(known, list) and _has_ids(known) and _has_ids(value):
            merged[name] = _overlaid_entries(known, value, file, (*key, name))
        else:
            merged[name] = value
    return merged


def _overlaid_entries(
    base: list[dict[str, Any]], over: list[dict[str, Any]], file: Path, key: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Entries with ids: a known id replaces the entry in its place, a new one goes to the end or where `place` says.

    `place = "<id>"` puts an entry before the one of that id, which matters where the first rule that fires wins.
    """
    ids = [entry["id"] for entry in over]
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        raise InvalidInput(f"{file}: {'.'.join(key)}: duplicate rule id: {', '.join(repeated)}")
    merged = list(base)
    for given in over:
        entry = {name: value for name, value in given.items() if name != "place"}
        positions = {known["id"]: index for index, known in enumerate(merged)}
        if "place" in given:
            if given["place"] not in positions:
                allowed = ", ".join(positions)
                raise InvalidInput(f"{file}: {'.'.join(key)}.{entry['id']}.place: no such rule; allowed: {allowed}")
            merged = [known for known in merged if known["id"] != entry["id"]]
            target = next(index for index, known in enumerate(merged) if known["id"] == given["place"])
            merged.insert(target, entry)
        elif entry["id"] in positions:
            merged[positions[entry["id"]]] = entry
        else:
            merged.append(entry)
    return merged


def _has_ids(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) and "id" in entry for entry in value)


def _canonical(value: object) -> object:
    """Plain JSON values whose text is equal for equal policies: sets have no order of their own."""
    match value:
        case BaseModel():
            return {name: _canonical(getattr(value, name)) for name in type(value).model_fields}
        case Mapping():
            return {str(key): _canonical(item) for key, item in value.items()}
        case AbstractSet():
            return sorted(map(str, value))
        case str() | int() | float() | None:
            return value
        case Sequence():
            return [_canonical(item) for item in value]
        case _:
            return str(value)


def _explained(path: Path, document: object, error: ValidationError) -> Iterator[str]:
    """One line per problem: file, key (list entries by their id) and what is allowed."""
    for problem in error.errors(include_url=False):
        key, message = _readable_key(document, problem["loc"]), problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = f"unknown key; allowed: {', '.join(sorted(_allowed_keys(Policy, problem['loc'][:-1])))}"
        yield f"{path}: {key}: {message}"


def _readable_key(document: object, location: Sequence[int | str]) -> str:
    parts: list[str] = []
    for step in location:
        match document, step:
            case list(), int() if step < len(document):
                document = document[step]
                parts.append(str(document.get("id", step)) if isinstance(document, dict) else str(step))
            case dict(), str() if step in document:
                document = document[step]
                parts.append(step)
            case _:
                parts.append(str(step))
    return ".".join(parts) or "policy"


def _allowed_keys(annotation: object, location: Sequence[int | str]) -> set[str]:
    """Keys of the model that an annotation leads to along a location."""
    if get_origin(annotation) in (Union, UnionType):
        return set().union(*(_allowed_keys(option, location) for option in get_args(annotation)))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not location:
            return set(annotation.model_fields)
        field = annotation.model_fields.get(str(location[0]))
        # A discriminated union puts the name of the chosen model into the location.
        return _allowed_keys(field.annotation if field else annotation, location[1:])
    if location and get_origin(annotation) is not None:
        return set().union(*(_allowed_keys(item, location[1:]) for item in get_args(annotation)))
    return set()
