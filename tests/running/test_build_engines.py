"""The same Dockerfile under the classic builder and under Buildah, by itself and as Podman calls it; and BuildKit's linter."""

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from project import FIRST_USER, Project, eventually
from repository import ROOT

CHECK_ENGINE = ROOT / "tests/engine/check-engine"
RED = "def test_red():\n    assert False\n"
needs_podman = pytest.mark.skipif(
    not (shutil.which("podman") and shutil.which("buildah") and os.getuid() == 0),
    reason="tests/engine/podman up was not run here",
)


def build_by(project: Project, builder: str, tag: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Build by "podman", "buildah" or "classic"."""
    words = {"podman": ["podman", "build"], "buildah": ["buildah", "bud", "--layers"], "classic": ["docker", "build"]}[
        builder
    ]
    return project.run(*words, *arguments, "-t", tag, ".", env=project.env | {"DOCKER_BUILDKIT": "0"}, check=False)


@pytest.mark.parametrize(
    "builder", ["classic", pytest.param("podman", marks=needs_podman), pytest.param("buildah", marks=needs_podman)]
)
def test_red_tests_make_no_image(start, builder: str) -> None:
    project = start(project_name="demo", builder="any" if builder == "classic" else "buildkit")
    engine = "docker" if builder == "classic" else "podman"
    tag = f"{project.path.name}:{builder}"
    # A step in the cache would be silent
    test = project.path / "app/tests/test_main.py"
    test.write_text(f"{test.read_text()}# {uuid.uuid4()}\n")
    try:
        result = build_by(project, builder, tag)
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
        assert " passed" in result.stdout
        port = project.ports["SERVICE_PORT"]
        project.run(
            engine, "run", "--rm", "--detach", "--name", project.path.name, "--publish", f"127.0.0.1:{port}:8080", tag
        )
        eventually(lambda: project.get(port="SERVICE_PORT"), lambda page: "Hello from demo" in page)
        files = project.run(engine, "exec", project.path.name, "ls", "/app", "/tmp", "/opt/venv/bin").stdout
        assert "api" in files and "test" not in files and "gate" not in files
        assert project.run(engine, "exec", project.path.name, "id", "-u").stdout.strip() == str(FIRST_USER)
        project.run(engine, "stop", project.path.name)
        project.run(engine, "rmi", "--force", "--no-prune", tag)

        test.write_text(RED)
        result = build_by(project, builder, tag)
        assert result.returncode != 0
        assert "test_red" in result.stdout
        assert project.run(engine, "image", "inspect", tag, check=False).returncode != 0

        result = build_by(project, builder, tag, "--build-arg", "GATE=skip")
        assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    finally:
        project.run(engine, "rm", "--force", project.path.name, check=False)
        project.run(engine, "rmi", "--force", "--no-prune", tag, check=False)


PROJECT = """
[project]
name = "sparse"
version = "1"
dependencies = ["iniconfig"]
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[tool.setuptools]
py-modules = ["main"]
"""
# Projects in which stages copy folders that are empty, each with answers and with a section of build.sh
SPARSE: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "no packages": ({"requirements.txt": "# none\n"}, {}, ""),
    "no packages but production's": (
        {"requirements.txt": "iniconfig\n", "dev.txt": "iniconfig\n"},
        {"test_dependencies": "dev.txt"},
        "",
    ),
    "an installed project": ({"pyproject.toml": PROJECT}, {"dependencies": "."}, ""),
    "an installed project and a folder": (
        {"pyproject.toml": PROJECT, "pages/a.txt": "a"},
        {"dependencies": ".", "test_dependencies": ""},
        "## assets pages:\ncp pages/a.txt pages/b.txt\n",
    ),
    "assets at home alone": ({"requirements.txt": "# none\n"}, {}, "## assets:\necho a >~/a\n"),
}


@pytest.mark.parametrize("kind", SPARSE)
def test_the_classic_builder_builds_what_copies_empty_folders(start, tmp_path: Path, kind: str) -> None:
    """It fails where a COPY follows one that copied nothing, unless an earlier build happened to make the same layer."""
    files, answers, section = SPARSE[kind]
    for name, text in {"main.py": "print('here')\n", **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    project = start(
        tmp_path, starter="existing", builder="any", serve_command="python main.py", test_command="true", **answers
    )
    with (project.path / "build.sh").open("a") as file:
        file.write(section)
    project.share_no_layers()
    images = {}
    for target in ("localdev", "service"):
        images[target], _ = project.build("--target", target, env=project.env | {"DOCKER_BUILDKIT": "0"})
    # What is copied over the root leaves the folders there as they were
    look = ["docker", "run", "--rm", "--entrypoint", "stat", images["localdev"], "--format", "%a", "/", "/tmp"]
    assert project.run(*look).stdout == "755\n1777\n"
    assert project.run("docker", "run", "--rm", images["service"]).stdout == "here\n"


def lint(project: Project) -> subprocess.CompletedProcess[str]:
    """Run BuildKit's linter: the engine's own, or that of tests/engine/check-engine where the engine is too old for it."""
    result = project.run("docker", "buildx", "build", "--check", ".", check=False)
    if "unknown flag" in result.stderr or "failed to resolve source metadata" in result.stderr:
        if not subprocess.run([CHECK_ENGINE, "check", "--help"], capture_output=True).returncode == 0:
            pytest.skip("neither this engine nor tests/engine/check-engine can check a Dockerfile")
        result = project.run(str(CHECK_ENGINE), "check", ".", check=False)
    return result


@pytest.mark.parametrize(
    "answers", [{}, {"starter": "existing", "dependencies": "."}, {"base_image": "ubuntu"}], ids=str
)
def test_buildkits_linter_finds_nothing(start, answers: dict) -> None:
    project = start(**answers)
    result = lint(project)
    assert result.returncode == 0, result.stdout + result.stderr
    dockerfile = project.path / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(" AS tests", " as Tests"))
    assert lint(project).returncode != 0, "the linter finds nothing anywhere"
