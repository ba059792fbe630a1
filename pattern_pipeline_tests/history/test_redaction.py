"""Secrets are replaced wherever they stand; what only looks like one is left alone."""

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pattern_pipeline.detection.redaction_policy import SECRET_KINDS, RedactionPolicy
from pattern_pipeline.history.redaction import Redactor
from pattern_pipeline.history.redaction_rules import mark

# Put together here, so that no scanner of the repository takes them for real ones.
FAKES: list[tuple[str, str, str]] = [
    ("private_key", "", "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nabc=\n-----END RSA PRIVATE KEY-----"),
    ("private_key", "", "-----BEGIN OPENSSH " + "PRIVATE KEY-----\\nb3BlbnNzaC1rZXktdjE\\nAAAABG5vbmUAAAAEbm9u"),
    ("private_key", "", "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----\n\nlQdGBF\n-----END PGP PRIVATE KEY BLOCK-----"),
    ("aws_key", "", "AKIA" + "IOSFODNN7EXAMPLE"),
    ("aws_key", "aws_secret_access_key = ", "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCYEXAMPLEKEY"),
    ("anthropic_key", "", "sk-ant-" + "api03-abcdefghijklmnop"),
    ("openai_key", "", "sk-" + "proj-abcdefghij_klmnopqrstuv"),
    ("openai_key", "", "sk-" + "abcdefghijklmnopqrstuvwxyz0123456789"),
    ("github_token", "", "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789"),
    ("github_token", "", "github_pat_" + "abcdefghijklmnopqrstuvwxyz"),
    ("gitlab_token", "", "glpat-" + "abcdefghijklmnopqrst"),
    ("slack_token", "", "xoxb-" + "123456789012-abcdefghijkl"),
    ("google_key", "", "AIza" + "SyAabcdefghijklmnopqrstuvwxyz012345"),
    ("stripe_key", "", "sk_live_" + "abcdefghijklmnopqrstuvwx"),
    ("npm_token", "//registry.npmjs.org/:_authToken=", "npm_" + "abcdefghijklmnopqrstuvwxyz0123456789"),
    ("pypi_token", "", "pypi-" + "AgEIcHlwaS5vcmcabcdefghijklm"),
    ("huggingface_token", "", "hf_" + "abcdefghijklmnopqrstuvwxyzabcdefgh"),
    ("sendgrid_key", "", "SG." + "abcdefghijklmnopqrst.abcdefghijklmnopqrstuvwxyz"),
    ("jwt", "", "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def_ghi"),
    ("authorization", "Authorization: Bearer ", "abcdef1234567"),
    ("authorization", '-H "authorization: Basic ', "dXNlcjpwYXNz"),
    ("authorization", "bearer ", "s3cr3t-abcdefgh"),
    ("url_credentials", "postgresql://bob:", "hunter2"),
    ("url_credentials", "curl -s -u bob:", "hunter2"),
    ("azure_key", "AccountName=x;AccountKey=", "abcdefghijklmnopqrstuvwx=="),
    ("password", "PGPASSWORD=", "hunter2"),
    ("password", "export DB_PASSWORD='", "correct horse battery"),
    ("password", "mysql --password ", "s3cr3t"),
    ("password", "host=db user=u password=", "hunter2"),
    ("password", '{"db_password": "', 'hunter\\"2'),
    ("secret", 'client_secret=""', "abcdefgh"),
    ("password", '{""db_password"": ""', "hunter2"),
    ("password", '{\\"password\\": \\"', "hunter2"),
    ("password", 'os.environ["DB_PASSWD"] = "', "hunter2"),
    ("password", "password: ", "hunter2"),
    ("api_key", "X-Api-Key: ", "abcd1234"),
    ("api_key", "--api-key=", "abcdefgh"),
    ("token", "https://example.com/?access_token=", "abcdefghij"),
    ("secret", "client_secret='", "abcdefgh"),
]
HARMLESS = [
    "token = get_token()",
    "token=get_token()",
    "password=None",
    "def f(password: str = None, token: Optional[str])",
    "echo $PASSWORD ${TOKEN} PASSWORD=$X SECRET=${Y} --password $Z",
    "PASSWORD=<your password>",
    "if password == other: return self.token",
    "token = tokens[i]; self.token = token",
    "token=os.environ['TOKEN']",
    "max_tokens=100 total_tokens: 500000",
    "the bearer of bad news needs basic authentication",
    "task-force risk-averse sk-toggleable__content sk-hidden--visually",
    "PWD=/testbed OLDPWD=/tmp",
    "http://localhost:8080/a@b git@github.com:foo/bar ssh://git@host/x",
    "-----BEGIN PUBLIC KEY-----",
    "/mnt/home/data /homes/x /rootfs home/ann",
]


def _closing(before: str) -> str:
    """What has to follow a value that is opened by `before`."""
    if before.startswith("postgresql"):
        return "@host/db"
    return next((quote for quote in ('\\"', '""', '"', "'") if before.endswith(quote)), "")


def redacted(text: str, policy: RedactionPolicy | None = None) -> str:
    values, _ = Redactor(policy or RedactionPolicy()).text(pl.Series("text", [text]))
    return str(values.item())


@pytest.mark.parametrize(("kind", "before", "secret"), FAKES)
@pytest.mark.parametrize("around", ["{}", "first line\n{}\nlast line", 'run "x" && {} -- tail'])
def test_a_secret_gives_way_to_the_mark_of_its_kind(kind: str, before: str, secret: str, around: str) -> None:
    after = _closing(before)
    text = around.replace("{}", before + secret + after)
    assert redacted(text) == around.replace("{}", before + mark(kind) + after)


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, _, _ in FAKES} == set(SECRET_KINDS)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("cd /home/ann/project", "cd ~/project"),
        ('cat "/Users/bob/x y"', 'cat "~/x y"'),
        ("ls /root /root/x", "ls ~ ~/x"),
        ("dir C:\\Users\\bob\\x", "dir ~\\x"),
    ],
)
def test_home_directories_are_shortened(text: str, short: str) -> None:
    assert redacted(text) == short


@pytest.mark.parametrize(("kind", "before", "secret"), FAKES)
def test_no_string_of_a_document_keeps_a_secret_and_it_stays_json(kind: str, before: str, secret: str) -> None:
    text = before + secret + _closing(before)
    document = {
        "a": [{"b": text}],
        "c": {text: 1},
        "d": f"line\n{text}",
        "e": orjson.dumps({"f": "é\n"}).decode(),
        "n": 1.5,
    }
    values, counts = Redactor(RedactionPolicy()).json(pl.Series([orjson.dumps(document).decode()]))
    clean = orjson.loads(values.item())
    assert secret not in orjson.loads(orjson.dumps(str(clean)))
    assert counts[kind] == 3
    assert (clean["e"], clean["n"]) == (document["e"], 1.5)


def test_a_key_tells_that_its_value_is_secret() -> None:
    document = {
        "password": "x",
        "db": {"api_key": "abcd", "PASSWD": 12345},
        "token": None,
        "max_tokens": 5,
        "pwd": True,
    }
    values, counts = Redactor(RedactionPolicy()).json(pl.Series([orjson.dumps(document).decode()] * 3))
    assert orjson.loads(values[0]) == {
        "password": mark("password"),
        "db": {"api_key": mark("api_key"), "PASSWD": mark("password")},
        "token": None,
        "max_tokens": 5,
        "pwd": True,
    }
    assert counts == {"password": 6, "api_key": 3}


def test_every_occurrence_is_counted() -> None:
    _, counts = Redactor(RedactionPolicy()).text(
        pl.Series(["PASSWORD=a1 PASSWORD=b2", None, "PASSWORD=a1 PASSWORD=b2"])
    )
    assert counts == {"password": 4}


def test_kinds_addresses_and_own_patterns_follow_the_policy() -> None:
    policy = RedactionPolicy(
        kinds=("jwt",), email=True, patterns={"ticket": r"TCK-[0-9]{4}"}, home_directories=(), homes=()
    )
    text = "PASSWORD=a1 ann@example.org TCK-1234 /home/ann"
    assert redacted(text, policy) == "PASSWORD=a1 <secret:email> <secret:ticket> /home/ann"
    assert redacted(text, RedactionPolicy(kinds=())) == "PASSWORD=a1 ann@example.org TCK-1234 ~"


@pytest.mark.parametrize("pattern", ["(", "(?=x)", "x*", "secret", r"\w+"])
def test_a_pattern_that_is_wrong_or_would_match_a_mark_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="patterns"):
        RedactionPolicy(patterns={"own": pattern})


FRAGMENTS = st.sampled_from(
    [before + secret for _, before, secret in FAKES]
    + HARMLESS
    + ["password", "=", ":", '"', "'", "\\", " ", "@", "://", "<", "\x00"]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(FRAGMENTS | st.text(max_size=4), max_size=7).map("".join))
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once
    assert "\x00" not in once


@settings(deadline=None, max_examples=50)
@given(st.recursive(FRAGMENTS, lambda inner: st.lists(inner) | st.dictionaries(FRAGMENTS, inner), max_leaves=6))
def test_redacting_a_document_twice_changes_nothing(document: object) -> None:
    redactor = Redactor(RedactionPolicy())
    once, _ = redactor.json(pl.Series([orjson.dumps(document).decode()]))
    orjson.loads(once.item())
    twice, counts = redactor.json(once)
    assert (twice.item(), counts) == (once.item(), {})
