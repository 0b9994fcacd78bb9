"""The hooks, the action and the template: each does what it says, run as its users run it.

Nothing comes from a network: pip builds lanebook from a clone, with the build backend and the
dependencies that the tests have anyway.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.folders import listing, write

REPOSITORY = Path(__file__).resolve().parents[1]
SEALS = "SEALS.sha256"
FILES = {"a.txt": b"approved\nwords\n", "sql/one two.sql": b"select 1;\n"}
HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text("utf-8"))
ACTION = yaml.safe_load((REPOSITORY / "action.yml").read_text("utf-8"))
TEMPLATE = yaml.safe_load(
    (REPOSITORY / "ci-templates" / "lanebook-gate.gitlab-ci.yml").read_text("utf-8")
)
JOB = TEMPLATE["lanebook-gate"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return what a CI job sees: a python3 with pip on PATH, and no network for pip."""
    python = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    links = home / "bin"
    links.mkdir(parents=True, exist_ok=True)
    if not (links / "python3").is_symlink():
        (links / "python3").symlink_to(python)
    return {
        "PATH": f"{links}:{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this as its opposite
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@example.invalid",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@example.invalid",
        **more,
    }


def ran(
    command: list[str], cwd: Path, env: Mapping[str, str], timeout: int = 240
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Make a folder in one worker only; the others wait for it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, done = base / f"ci-{name}", base / f"ci-{name}.done"
    with (base / f"ci-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository of what is in this one now, as a CI system would clone it."""

    def make(folder: Path) -> None:
        kept = shutil.ignore_patterns("__pycache__")
        for name in ("generator", "templates", "requirements"):
            shutil.copytree(REPOSITORY / name, folder / name, ignore=kept)
        for name in ("pyproject.toml", "README.md", "LICENSE", "action.yml"):
            shutil.copyfile(REPOSITORY / name, folder / name)
        shutil.copyfile(REPOSITORY / ".pre-commit-hooks.yaml", folder / ".pre-commit-hooks.yaml")
        env = environment(folder.with_name("ci-home"))
        for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
            done = ran(["git", *arguments], folder, env)
            assert done.returncode == 0, done.stderr

    return once(tmp_path_factory, "clone", make)


def sealed(folder: Path) -> Path:
    return write(folder, {**FILES, SEALS: listing(FILES)})


def drift(folder: Path) -> None:
    (folder / "a.txt").write_bytes(FILES["a.txt"].replace(b"\n", b"\r\n"))


# --- pre-commit ---


@pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])
def test_a_hook_lets_sealed_bytes_be_committed_and_no_others(
    hook: dict[str, Any], clone: Path, tmp_path: Path
) -> None:
    """Real pre-commit, real commits; with ``language: python`` it also installs the clone."""
    work = sealed(tmp_path / "work")
    env = environment(tmp_path / "home", PRE_COMMIT_HOME=str(tmp_path / "cache"))
    if hook["language"] == "system":
        env["PATH"] = f"{sysconfig.get_path('scripts')}:{env['PATH']}"
    revision = ran(["git", "rev-parse", "HEAD"], clone, env).stdout.strip()
    config = {
        "repos": [{"repo": str(clone), "rev": revision, "hooks": [{"id": hook["id"]}]}],
    }
    (work / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    for command in (
        ["git", "init", "-q"],
        [sys.executable, "-m", "pre_commit", "install"],
        ["git", "add", "-A"],
    ):
        done = ran(command, work, env)
        assert done.returncode == 0, done.stdout + done.stderr
    first = ran(["git", "commit", "-m", "sealed"], work, env)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "sealed files are byte-exact......" in first.stderr + first.stdout
    drift(work)
    second = ran(["git", "commit", "-a", "-m", "drifted"], work, env)
    told = second.stdout + second.stderr
    assert second.returncode == 1, told
    assert "▲ GATE-CRLF  a.txt:1\n    CRLF (sealed bytes found in git)" in told
    assert ran(["git", "rev-list", "--count", "HEAD"], work, env).stdout == "1\n"


# --- the GitHub action ---

HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    '"; touch pwned; "',
    "'; touch pwned; '",
    "${IFS}touch${IFS}pwned",
    "a.txt && touch pwned",
    "--write",
    "-o pwned",
    "END_OF_PATHS\ntouch pwned",
]


def given(value: str, inputs: Mapping[str, str]) -> str:
    """Return what GitHub makes of a value of ``env:``; only an input alone is allowed there."""
    match = re.fullmatch(r"\$\{\{ inputs\.([a-z]+) \}\}", value)
    assert match is not None, value
    return inputs[match[1]]


def step(number: int, cwd: Path, env: Mapping[str, str], **inputs: str) -> Any:
    """Run one step of the action under the shell that GitHub means by ``shell: bash``."""
    defaults = {name: spec["default"] for name, spec in ACTION["inputs"].items()}
    one = ACTION["runs"]["steps"][number]
    assert one["shell"] == "bash"
    own = {key: given(value, defaults | inputs) for key, value in one.get("env", {}).items()}
    script = Path(env["RUNNER_TEMP"]) / f"step-{os.getpid()}.sh"
    script.write_text(one["run"], "utf-8")
    return ran(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)], cwd, {**env, **own}
    )


@pytest.fixture(scope="session")
def runner(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A runner on which the first step of the action has installed lanebook."""

    def make(folder: Path) -> None:
        done = step(0, folder, _runner(folder, clone))
        assert done.returncode == 0, done.stdout + done.stderr
        assert (folder / "lanebook-gate" / "bin" / "lanebook").is_file()

    return _runner(once(tmp_path_factory, "runner", make), clone)


def _runner(folder: Path, clone: Path) -> dict[str, str]:
    return environment(folder, RUNNER_TEMP=str(folder), GITHUB_ACTION_PATH=str(clone))


def test_no_script_of_the_action_has_an_expression_in_it() -> None:
    for one in ACTION["runs"]["steps"]:
        assert set(one) <= {"name", "shell", "env", "run"}
        assert "${{" not in one["run"]
        for value in one.get("env", {}).values():
            assert given(value, dict.fromkeys(ACTION["inputs"], "x")) == "x"


def test_the_action_passes_and_fails_as_the_gate_does(
    runner: dict[str, str], tmp_path: Path
) -> None:
    sealed(tmp_path)
    passed = step(1, tmp_path, runner)
    assert (passed.returncode, passed.stderr) == (0, "")
    assert passed.stdout.startswith(f"● {SEALS}: 2 files byte-exact\n")
    drift(tmp_path)
    failed = step(1, tmp_path, runner, diff="true", report="gate.sarif")
    assert failed.returncode == 1
    assert '    present: "approved\\r\\nwords\\r\\n" and the end\n' in failed.stdout
    assert '"ruleId": "GATE-CRLF"' in (tmp_path / "gate.sarif").read_text("utf-8")
    narrowed = step(1, tmp_path, runner, paths="sql/one two.sql\n")
    assert narrowed.stdout.startswith(f"● {SEALS}: 1 file byte-exact\n")


@pytest.mark.parametrize("name", sorted(ACTION["inputs"]))
@pytest.mark.parametrize("value", HOSTILE)
def test_no_input_of_the_action_is_run(
    name: str, value: str, runner: dict[str, str], tmp_path: Path
) -> None:
    sealed(tmp_path)
    more = {"report": "r"} if name == "format" else {}
    done = step(1, tmp_path, runner, **{name: value, **more})
    assert "pwned" not in {path.name for path in tmp_path.iterdir()}
    # what asks for no other file or format is the input 'diff', and the name of a report
    assert done.returncode == (0 if name in ("diff", "report") else 2 if name == "format" else 3)


# --- the GitLab template ---

SHELLS = ["bash", "sh"]


def lines(*keys: str) -> str:
    return "\n".join(line for key in keys for line in JOB[key])


def job(shell: str, keys: list[str], cwd: Path, env: Mapping[str, str], **variables: str) -> Any:
    """Run a job's lines, one after the other in one shell, which GitLab tells to end on errors."""
    return ran([shell, "-ec", lines(*keys)], cwd, {**env, **JOB["variables"], **variables})


@pytest.fixture(scope="session", params=SHELLS)
def builds(
    request: pytest.FixtureRequest, clone: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, str]]:
    """A shell, and a machine on which ``before_script`` has installed lanebook with it."""
    shell = str(request.param)

    def make(folder: Path) -> None:
        env = environment(folder, CI_BUILDS_DIR=str(folder))
        done = job(shell, ["before_script"], folder, env, LANEBOOK_PACKAGE=str(clone))
        assert done.returncode == 0, done.stdout + done.stderr

    folder = once(tmp_path_factory, f"builds-{shell}", make)
    return shell, environment(folder, CI_BUILDS_DIR=str(folder))


def test_the_template_is_one_job_that_keeps_its_report() -> None:
    assert list(TEMPLATE) == ["lanebook-gate"]
    assert set(JOB) == {"stage", "image", "variables", "before_script", "script", "artifacts"}
    assert JOB["artifacts"] == {"when": "always", "reports": {"junit": "lanebook-gate.xml"}}
    assert all(isinstance(line, str) for line in [*JOB["before_script"], *JOB["script"]])


def test_the_template_does_not_guess_where_lanebook_comes_from(tmp_path: Path) -> None:
    env = environment(tmp_path, CI_BUILDS_DIR=str(tmp_path))
    done = job("sh", ["before_script"], tmp_path, env)
    assert (done.returncode, done.stderr) == (
        2,
        "lanebook-gate: set LANEBOOK_PACKAGE to what pip can install lanebook from\n",
    )


def test_the_template_passes_and_fails_as_the_gate_does(
    builds: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    shell, env = builds
    sealed(tmp_path)
    passed = job(shell, ["script"], tmp_path, env)
    assert (passed.returncode, passed.stderr) == (0, "")
    assert passed.stdout.startswith(f"● {SEALS}: 2 files byte-exact\n")
    assert 'tests="2" failures="0"' in (tmp_path / "lanebook-gate.xml").read_text("utf-8")
    drift(tmp_path)
    failed = job(shell, ["script"], tmp_path, env, LANEBOOK_DIFF="true")
    assert failed.returncode == 1
    assert '    present: "approved\\r\\nwords\\r\\n" and the end\n' in failed.stdout
    assert '<failure type="GATE-CRLF"' in (tmp_path / "lanebook-gate.xml").read_text("utf-8")
    narrowed = job(shell, ["script"], tmp_path, env, LANEBOOK_PATHS="sql/one two.sql")
    assert narrowed.stdout.startswith(f"● {SEALS}: 1 file byte-exact\n")


@pytest.mark.parametrize("name", ["LANEBOOK_DIFF", "LANEBOOK_PATHS", "LANEBOOK_SEALS"])
@pytest.mark.parametrize("value", HOSTILE)
def test_no_variable_of_the_template_is_run(
    name: str, value: str, builds: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    shell, env = builds
    sealed(tmp_path)
    done = job(shell, ["script"], tmp_path, env, **{name: value})
    assert "pwned" not in {path.name for path in tmp_path.iterdir()}
    assert done.returncode == (0 if name == "LANEBOOK_DIFF" else 3)


def test_every_variable_of_the_template_is_given_to_the_gate_or_to_git() -> None:
    used = set(re.findall(r"\$(LANEBOOK_[A-Z]+)", lines("before_script", "script")))
    assert used == {name for name in JOB["variables"] if name.startswith("LANEBOOK_")}
