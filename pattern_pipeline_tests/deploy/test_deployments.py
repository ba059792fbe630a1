"""The files in deploy/: what can be known of them without a container engine or a cluster."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._cli.api import api_cli
from dagster._core.workspace.config_schema import process_workspace_config
from dagster._daemon.cli import cli as daemon
from dagster_webserver.cli import dagster_webserver
from typer.main import get_command

from pattern_pipeline.cli.main import app
from pattern_pipeline.settings import PROJECT_ROOT, Settings

DEPLOY = PROJECT_ROOT / "deploy"
DOCKER, KUBERNETES = DEPLOY / "docker", DEPLOY / "kubernetes"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
# The parsers of programs: click's, or those of the click inside typer, which are classes of their own.
PROGRAMS: dict[tuple[str, ...], Any] = {
    ("dagster", "api"): api_cli,
    ("dagster-daemon",): daemon,
    ("dagster-webserver",): dagster_webserver,
    ("pattern-pipeline",): get_command(app),
}
# Keys of the chart's values, as its schema has them at dagster 1.13.
CHART_KEYS = {
    "global": {"postgresqlSecretName"},
    "postgresql": {
        "enabled",
        "postgresqlHost",
        "postgresqlUsername",
        "postgresqlDatabase",
        "postgresqlScheme",
        "service",
    },
    "dagster-user-deployments": {"enabled", "deployments"},
    "dagsterWebserver": {"image", "env", "envSecrets", "service"},
    "dagsterDaemon": {"image", "env", "envSecrets", "runMonitoring", "runRetries", "sensors", "schedules"},
    "concurrency": {"enabled", "pools", "runs"},
    "retention": {"enabled", "sensor", "schedule", "autoMaterialize"},
    "runLauncher": {"type", "config"},
    "telemetry": {"enabled"},
}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def is_understood(arguments: list[str]) -> bool:
    """Whether a program's own parser knows every subcommand and option of a command line."""
    words = next(words for words in PROGRAMS if tuple(arguments[: len(words)]) == words)
    command, rest, parent = PROGRAMS[words], arguments[len(words) :], None
    try:
        while command is not None:
            context = command.make_context(words[-1], list(rest), parent=parent)
            rest = [*context._protected_args, *context.args]
            if not (rest and hasattr(command, "resolve_command")):
                return not rest
            _, command, rest = command.resolve_command(context, rest)
            parent = context
    except Exception as error:
        if type(error).__name__ not in {"NoSuchOption", "UsageError", "BadParameter", "MissingParameter"}:
            raise
    return False


@pytest.fixture(scope="module")
def compose() -> Any:
    return load(DOCKER / "compose.yaml")


@pytest.fixture(scope="module")
def values() -> Any:
    return load(KUBERNETES / "values.yaml")


def test_the_composition_runs_commands_that_exist(compose: Any) -> None:
    assert not is_understood(["pattern-pipeline", "review", "--everywhere"])
    assert not is_understood(["dagster", "api", "grpc", "--everywhere"])
    commands = {name: service["command"] for name, service in compose["services"].items() if "command" in service}
    assert set(commands) == {"code", "daemon", "webserver", "review"}
    for command in [*commands.values(), compose["services"]["code"]["healthcheck"]["test"][1:]]:
        assert is_understood(command), command


def test_the_composition_is_one_to_docker_compose(tmp_path: Path) -> None:
    if not (program := shutil.which("docker-compose")):
        pytest.skip("docker-compose is missing: apt-get install it")
    environment = {"PATH": "/usr/bin:/bin", "POSTGRES_PASSWORD": "any", "HISTORY": str(tmp_path)}
    done = subprocess.run(
        [program, "-f", str(DOCKER / "compose.yaml"), "config", "-q"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_composition_publishes_two_pages_to_this_computer_alone(compose: Any) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {"webserver": ["127.0.0.1:3000:3000"], "review": ["127.0.0.1:3001:3001"]}
    serves = compose["services"]["review"]
    assert "PATTERN_PIPELINE_REVIEWERS" in serves["environment"], "other addresses than loopback need tokens"


def test_the_composition_has_volumes_and_dependencies_that_exist(compose: Any) -> None:
    services = compose["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        named = {volume.partition(":")[0] for volume in service["volumes"] if volume[0] not in "$./"}
        assert named <= set(compose["volumes"])


def test_the_workspace_of_the_containers_names_the_code_server(compose: Any) -> None:
    workspace = load(DOCKER / "workspace.yaml")
    checked = process_workspace_config(workspace)
    assert checked.success, checked.errors
    (entry,) = workspace["load_from"]
    server, command = entry["grpc_server"], compose["services"]["code"]["command"]
    assert server["host"] in compose["services"]
    assert str(server["port"]) == command[command.index("-p") + 1]


def test_the_image_copies_what_exists_and_does_not_run_as_root() -> None:
    lines = re.sub(r"\\\n", " ", (DOCKER / "Dockerfile").read_text()).splitlines()
    let_in = {line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().split() if line[0] == "!"}
    copied = [word for line in lines if re.match(r"COPY (?!--from)", line) for word in line.split()[1:-1]]
    assert set(copied) == let_in
    assert all((PROJECT_ROOT / path).exists() for path in copied)
    (user,) = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert int(user) > 0
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
    built_from = {"pyproject.toml", *project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    built_from |= set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"])
    assert {Path(path).parts[0] for path in built_from} <= set(copied)
    (extras,) = [line.partition("=")[2].split(",") for line in lines if line.startswith("ARG EXTRAS=")]
    assert set(extras) <= set(project["project"]["optional-dependencies"])


def test_the_values_are_keys_of_the_chart_and_speak_of_one_image(values: Any) -> None:
    del values["generatePostgresqlPasswordSecret"]
    assert set(values) == set(CHART_KEYS)
    for section, keys in CHART_KEYS.items():
        assert set(values[section]) <= keys, section
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    assert deployment["image"] == values["dagsterWebserver"]["image"] == values["dagsterDaemon"]["image"]
    assert is_understood(["dagster", "api", "grpc", *deployment["dagsterApiGrpcArgs"], "-p", str(deployment["port"])])
    assert deployment["includeConfigInLaunchedRuns"] == {"enabled": True}


def test_the_cluster_has_the_limits_of_the_shipped_instance(values: Any) -> None:
    shipped = load(PROJECT_ROOT / "dagster.yaml")
    ours = values["dagsterDaemon"]
    for section, found in (
        ("run_monitoring", ours["runMonitoring"]),
        ("run_retries", ours["runRetries"]),
        ("concurrency", values["concurrency"]),
        ("retention", values["retention"]),
        ("sensors", ours["sensors"]),
        ("schedules", ours["schedules"]),
    ):
        assert includes(snake_cased(found), shipped[section]), section
    assert values["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"


def includes(found: Any, expected: Any) -> bool:
    """Whether every setting of `expected` is in `found`, at whatever depth."""
    if isinstance(expected, dict):
        return all(key in found and includes(found[key], value) for key, value in expected.items())
    return bool(found == expected)


def snake_cased(value: Any) -> Any:
    if isinstance(value, list):
        return [snake_cased(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {re.sub(r"(?<=[a-z])([A-Z])", r"_\1", key).lower(): snake_cased(each) for key, each in value.items()}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_no_file_has_a_credential_or_an_unknown_setting(path: Path) -> None:
    text = path.read_text()
    known = {f"PATTERN_PIPELINE_{name.upper()}" for name in Settings.model_fields}
    brokers = {"PATTERN_PIPELINE_CELERY_BROKER", "PATTERN_PIPELINE_CELERY_BACKEND"}
    assert set(re.findall(r"PATTERN_PIPELINE_[A-Z_]+", text)) <= known | brokers
    assert re.findall(r"://[^/\s:@]+:[^@\s]+@", text) == []
    assert re.findall(r"(?im)^\s*\S*password:[ \t]+(?!\$\{)\S", text) == []
