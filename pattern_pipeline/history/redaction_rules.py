"""The patterns of secrets: what each kind looks like and what only seems to be one.

Only patterns belong here, in the syntax of polars' linear-time engine (no look-around, no back-reference), so that no
text can make one slow. How they are applied to columns is in `redaction`; which kinds are wanted, in `RedactionPolicy`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pattern_pipeline.detection.redaction_policy import RedactionPolicy, SecretKind

HOME_KIND: Final = "home"

# What a value may start with and consist of when nothing quotes it. Marks, variables and placeholders are no secrets.
_FIRST: Final = r"""[^\s"'`<>$%{}()\[\]\\,;&|=*\x00-]"""
_REST: Final = r"""[^\s"'`<>\\,;&|()\x00]"""
_WITH_DIGIT: Final = r"""(?:[0-9]|[^\s"'`<>$%{}()\[\]\\,;&|=*\x000-9-][^\s"'`<>\\,;&|()\x000-9]*[0-9])"""

# Names that tell by their ending that the value is secret, and the length from which a value is taken for one.
_NAMES: Final[dict[SecretKind, tuple[str, int]]] = {
    "password": (r"(?:passw(?:or)?d|passphrase|pwd|[_-]pass)", 1),
    "api_key": (r"(?:(?:api|access|account|auth|signing|encryption)[_-]?key(?:[_-]?id)?)", 4),
    "token": (r"token", 6),
    "secret": (r"(?:secret(?:[_-]?(?:access[_-]?)?key(?:[_-]?base)?)?|private[_-]?key|credential)", 4),
}
NAMED_KINDS: Final = frozenset({*_NAMES, "aws_key"})
"""Kinds with a rule that goes by a name before the value, so that what is harmless there has to be shielded."""

_ANY_NAME: Final = "(?:" + "|".join(name for name, _ in _NAMES.values()) + ")"

# After a secret's name: a constant, a type, an attribute, a call, a subscript, or (for PWD) a path.
HARMLESS: Final = (
    rf"""(?i)({_ANY_NAME}(?:\\*["']{{1,2}})?\]?\s*[:=]=?\s*)"""
    r"((?:none|null|nil|undefined|true|false|str|string|int|bool|bytes|any|optional)\b"
    r"|(?:self|this|args|kwargs|options|settings|config|os)\.|[\w.]+[(\[])"
)
HARMLESS_PATH: Final = r"(?i)(pwd=)([/~.])"


@dataclass(frozen=True)
class Rule:
    """One pattern of one kind; what the groups of the pattern hold stays around the mark."""

    kind: str
    pattern: str
    before: str = ""
    after: str = ""
    stands: str = ""

    @property
    def replacement(self) -> str:
        """The mark between the parts that stay."""
        return f"{self.before}{self.stands or mark(self.kind)}{self.after}"


def mark(kind: str) -> str:
    """What stands in the place of a secret; it starts with a character that no pattern takes for a secret."""
    return f"<secret:{kind}>"


def _assigned(kind: SecretKind) -> Iterable[Rule]:
    name, length = _NAMES[kind]
    # CSV doubles quotes, also those of JSON in it.
    head = rf"""(?i)({name}(?:\\*["']{{1,2}})?\]?\s*(?:=>|:=|[!=]?={{1,2}}|:)\s*[rbuf]{{0,2}}"""
    more = f"{{{length - 1},}}"
    yield Rule(kind, rf"""{head}")(?:[^"\\\n<$%{{\x00]|\\[^"\n])(?:[^"\\\n]|\\.){more}""", "${1}")
    yield Rule(kind, rf"""{head}')(?:[^'\\\n<$%{{\x00]|\\[^'\n])(?:[^'\\\n]|\\.){more}""", "${1}")
    yield Rule(kind, rf"""{head}\\+["']{{1,2}})[^"'\\\n<$%{{\x00][^"'\\\n]{more}""", "${1}")
    yield Rule(kind, rf"""{head}""){_FIRST}{_REST}{more}""", "${1}")
    yield Rule(kind, rf"(?i)({name}=){_FIRST}{_REST}{more}", "${1}")
    yield Rule(kind, rf"(?i)(--?[a-z0-9-]*{name}(?:\s+|=)){_FIRST}{_REST}{more}", "${1}")
    # With spaces or a colon it may be code or prose: only a value with a digit in it is taken for a secret.
    yield Rule(kind, rf"""(?i)({name}(?:\\*["'])?\s*[:=]\s*){_WITH_DIGIT}{_REST}{more}""", "${1}")


def _shaped(kind: str, *patterns: str) -> Iterable[Rule]:
    return (Rule(kind, pattern) for pattern in patterns)


# A word boundary, also after an escaped line end or tab, whose letter would else belong to the word.
_START: Final = r"(^|\\[nrt]|[^A-Za-z0-9])"

_RULES: Final[dict[SecretKind, tuple[Rule, ...]]] = {
    "private_key": (
        *_shaped(
            "private_key",
            r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----.*?-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----",
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?:(?:\\+[nr]|\s)*[A-Za-z0-9+/=]{16,})+",
        ),
    ),
    "aws_key": (
        *_shaped("aws_key", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"),
        Rule(
            "aws_key",
            r"""(?i)(aws_?secret_?(?:access_?)?key(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?)[A-Za-z0-9/+=]{16,}""",
            "${1}",
        ),
    ),
    "anthropic_key": (Rule("anthropic_key", _START + r"sk-ant-[A-Za-z0-9_-]{8,}", "${1}"),),
    "openai_key": (
        Rule("openai_key", _START + r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}", "${1}"),
        Rule("openai_key", _START + r"sk-(?:[A-Za-z0-9]{2,12}-){0,3}[A-Za-z0-9]{16,}[A-Za-z0-9_-]*", "${1}"),
    ),
    "github_token": (*_shaped("github_token", r"gh[pousr]_[A-Za-z0-9]{16,}", r"github_pat_[A-Za-z0-9_]{20,}"),),
    "gitlab_token": (*_shaped("gitlab_token", r"gl(?:pat|ptt|soat|agent|dt|rt|cbt|ft|imt)-[A-Za-z0-9_-]{16,}"),),
    "slack_token": (
        *_shaped(
            "slack_token",
            r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
            r"xapp-[A-Za-z0-9-]{10,}",
            r"hooks\.slack\.com/services/[A-Za-z0-9/]{10,}",
        ),
    ),
    "google_key": (
        *_shaped(
            "google_key",
            r"AIza[A-Za-z0-9_-]{30,}",
            r"ya29\.[A-Za-z0-9_-]{20,}",
            r"GOCSPX-[A-Za-z0-9_-]{20,}",
        ),
    ),
    "stripe_key": (*_shaped("stripe_key", r"[rs]k_(?:live|test)_[A-Za-z0-9]{10,}", r"whsec_[A-Za-z0-9]{16,}"),),
    "npm_token": (*_shaped("npm_token", r"npm_[A-Za-z0-9]{30,}"),),
    "pypi_token": (*_shaped("pypi_token", r"pypi-AgE[A-Za-z0-9_-]{20,}"),),
    "huggingface_token": (*_shaped("huggingface_token", r"hf_[A-Za-z0-9]{30,}"),),
    "sendgrid_key": (*_shaped("sendgrid_key", r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),),
    "jwt": (*_shaped("jwt", r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),),
    "authorization": (
        Rule(
            "authorization",
            r"""(?i)(authorization(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?(?:bearer|basic|token|digest|apikey)\s+)"""
            rf"{_FIRST}{_REST}*",
            "${1}",
        ),
        Rule(
            "authorization",
            r"(?i)(authorization(?:\\*[\"'])?\s*[:=]\s*(?:\\*[\"'])?)[A-Za-z._~+/-]*[0-9]\S{7,}",
            "${1}",
        ),
        Rule("authorization", r"(?i)(bearer\s+)[A-Za-z._~+/-]*[0-9][A-Za-z0-9._~+/=-]{6,}", "${1}"),
        Rule("authorization", r"(?i)(basic\s+)[A-Za-z0-9+/]{6,}={1,2}", "${1}"),
    ),
    "url_credentials": (
        Rule(
            "url_credentials",
            r"""(?i)([a-z][a-z0-9+.-]*://[^\s:/@"'<>\\]*:)[^\s/@"'<>\\$%{][^\s/@"'<>\\]*@""",
            "${1}",
            "@",
        ),
        Rule("url_credentials", r"(?i)([a-z][a-z0-9+.-]*://)[A-Za-z0-9_-]{20,}@", "${1}", "@"),
        Rule(
            "url_credentials",
            rf"(?i)(\bcurl\b[^\n|;&]*?\s(?:-u|--user)[ =][\"']?[^\s:\"'<>]+:){_FIRST}{_REST}*",
            "${1}",
        ),
    ),
    "azure_key": (
        Rule("azure_key", r"(?i)((?:AccountKey|SharedAccessKey|SharedAccessSignature)=)[A-Za-z0-9+/=%]{10,}", "${1}"),
        Rule("azure_key", r"(?i)([?&]sig=)[A-Za-z0-9+/=%]{16,}", "${1}"),
    ),
    "password": (
        *_assigned("password"),
        Rule("password", rf"(?i)(sshpass\s+-p\s*[\"']?){_FIRST}{_REST}*", "${1}"),
    ),
    "api_key": tuple(_assigned("api_key")),
    "token": tuple(_assigned("token")),
    "secret": tuple(_assigned("secret")),
}
# What a text must contain, in any case of letters, to hold a secret of the kind: searched for all at once, before any
# pattern runs.
_NEEDLES: Final[dict[SecretKind, tuple[str, ...]]] = {
    "private_key": ("private key",),
    "aws_key": ("akia", "asia", "abia", "acca", "aws_secret", "awssecret"),
    "anthropic_key": ("sk-ant-",),
    "openai_key": ("sk-",),
    "github_token": ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    "gitlab_token": ("glpat-", "glptt-", "glsoat-", "glagent-", "gldt-", "glrt-", "glcbt-", "glft-", "glimt-"),
    "slack_token": ("xox", "xapp-", "hooks.slack"),
    "google_key": ("aiza", "ya29.", "gocspx-"),
    "stripe_key": ("k_live_", "k_test_", "whsec_"),
    "npm_token": ("npm_",),
    "pypi_token": ("pypi-age",),
    "huggingface_token": ("hf_",),
    "sendgrid_key": ("sg.",),
    "jwt": ("eyj",),
    "authorization": ("authorization", "bearer", "basic"),
    "url_credentials": ("@", "curl"),
    "azure_key": ("accountkey", "sharedaccess", "sig="),
    "password": ("password", "passwd", "passphrase", "pwd", "_pass", "-pass", "sshpass"),
    "api_key": ("_key", "-key", "apikey", "accesskey", "accountkey", "authkey", "signingkey", "encryptionkey"),
    "token": ("token",),
    "secret": ("secret", "private_key", "private-key", "privatekey", "credential"),
}
_EMAIL: Final = Rule("email", r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_KEYS: Final = {kind: re.compile(rf"{name}$", re.IGNORECASE) for kind, (name, _) in _NAMES.items()}
_CONSTANTS: Final = frozenset({"none", "null", "nil", "undefined", "true", "false"})


def rules_for(policy: RedactionPolicy) -> tuple[Rule, ...]:
    """The built-in rules of a policy in the order of application: homes, then shapes, then assignments."""
    wanted = [rule for kind, rules in _RULES.items() if kind in policy.kinds for rule in rules]
    return (*home_rules(policy), *wanted, *([_EMAIL] if policy.email else []))


def needles_for(policy: RedactionPolicy) -> dict[str, list[str]]:
    """By kind of the built-in rules: lower-case literals of which a text that such a rule can match holds one."""
    needles: dict[str, list[str]] = {kind: list(_NEEDLES[kind]) for kind in policy.kinds}
    return {HOME_KIND: home_needles(policy), **needles, **({_EMAIL.kind: ["@"]} if policy.email else {})}


def home_rules(policy: RedactionPolicy) -> tuple[Rule, ...]:
    """Rules that shorten home directories; they leave JSON text valid, also with doubled backslashes."""
    before = r"(^|\\[nrt]|[^\w.~-])"
    parents = "|".join(_path_pattern(path) for path in policy.home_directories)
    homes = "|".join(_path_pattern(path) for path in policy.homes)
    below = r"""[/\\]{1,2}[^\s/\\"':;,<>|&()`*?\[\]{}=$]+"""
    return (
        *([Rule(HOME_KIND, rf"{before}(?:{parents}){below}", "${1}", stands="~")] if parents else []),
        *([Rule(HOME_KIND, rf"{before}(?:{homes})\b", "${1}", stands="~")] if homes else []),
    )


def home_needles(policy: RedactionPolicy) -> list[str]:
    """The literals of which a text with a home directory in it holds at least one, in any case of letters."""
    names = {re.split(r"[/\\]", path)[-1] for path in (*policy.home_directories, *policy.homes)}
    return sorted(separator + name.lower() for name in names for separator in "/\\")


def _path_pattern(path: str) -> str:
    return r"[/\\]{1,2}".join(re.escape(part) for part in re.split(r"[/\\]", path))


def kind_of_key(key: str, value: object, policy: RedactionPolicy) -> SecretKind | None:
    """The kind of secret that an object's member holds by its name alone; None when it holds none."""
    for kind, pattern in _KEYS.items():
        if kind in policy.kinds and pattern.search(key):
            shortest = _NAMES[kind][1]
            match value:
                case bool():
                    return None
                case int() | float():
                    return kind if kind == "password" else None
                case str() if len(value) >= shortest and value[0] not in "<$%{" and value.lower() not in _CONSTANTS:
                    return kind
    return None
