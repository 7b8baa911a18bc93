"""What the production image holds, and what it does not: by the image's own files, never by the Dockerfile's words."""

import json
import re
from pathlib import Path

import pytest
from project import Project, eventually

# Nothing by these names is of production. Bytecode and metadata of packages may say "test": the application's own may not
FOREIGN = re.compile(
    r"""
    /(debugpy|watchdog|watchfiles|pytest|_pytest|pluggy|iniconfig)(/|-|$)   # tools and tests' requirements
    | /bin/(uv|uvx|gcc|cc|g\+\+|make|ld|less|pytest|debugpy|watchfiles)$      # compilers and tools
    | ^/app/.*(test|conftest|build\.sh|\.drydock|Dockerfile|compose|\.env)   # tests, their requirements, the skeleton
    | \.env$ | ^/(data|requirements|sections|shipped|package)(/|$)           # settings and what builds leave
    | ^/tmp/. | /\.cache/. | ^/root/\.(?!bashrc|profile) | ^/var/lib/apt/lists/.*(Packages|Release) | /apt/archives/.*\.deb
    """,
    re.VERBOSE | re.MULTILINE,
)


def image_files(project: Project, tag: str) -> list[str]:
    """Return the paths of all files and folders of an image."""
    listing = project.run("docker", "run", "--rm", "--user", "0", "--entrypoint", "find", tag, "/", "-xdev").stdout
    return listing.splitlines()


def environment(project: Project, tag: str) -> dict[str, str]:
    """Return the SHA-256 of each file of /opt/venv in an image."""
    command = "find /opt/venv -type f -exec sha256sum {} +"
    listing = project.run("docker", "run", "--rm", "--user", "0", "--entrypoint", "sh", tag, "-c", command).stdout
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in listing.splitlines())}


@pytest.mark.parametrize("base_image", ["slim", "ubuntu"])
def test_nothing_but_production_is_in_service(start, base_image: str) -> None:
    project = start(project_name="demo", base_image=base_image)
    (project.path / ".env.local").write_text("SECRET=1\n")
    (project.path / "app/.env").write_text("SECRET=1\n")
    (project.path / "app/service-account.json").write_text("{}\n")
    (project.path / "app/tests/test_more.py").write_text("def test_more(): pass\n")
    tag, _ = project.build()
    files = image_files(project, tag)
    assert "/app/api/main.py" in files
    assert not [file for file in files if FOREIGN.search(file)]
    assert not [file for file in files if "service-account" in file]

    localdev, _ = project.build("--target", "localdev")
    assert [file for file in image_files(project, localdev) if FOREIGN.search(file)], (
        "the pattern finds nothing anywhere"
    )


def test_the_tests_ran_on_productions_bytes(start) -> None:
    project = start(project_name="demo")
    project.share_no_layers()
    service, tests, localdev = (project.build("--target", target)[0] for target in ("service", "tests", "localdev"))
    shipped = environment(project, service)
    assert len(shipped) > 500
    tested = environment(project, tests)
    # The only file that a later installation may touch is none of Python's
    assert {name for name in shipped if tested.get(name) != shipped[name]} <= {"/opt/venv/.lock"}
    assert shipped.items() <= environment(project, localdev).items()
    ids = (
        project.run("docker", "run", "--rm", tests, "id", "-u").stdout
        + project.run("docker", "run", "--rm", service, "id", "-u").stdout
    )
    assert ids.split() == ["1000", "1000"]


REAL = "import os, sysconfig; path = sysconfig.get_path('stdlib'); print(path, os.path.realpath(path))"


def compiled(project: Project, image: str) -> set[str]:
    """Return the standard library's bytecode files in an image."""
    command = "find /usr/local/lib/python3* /opt/python -path '*/site-packages' -prune -o -name '*.pyc' -print 2>/dev/null || true"
    return set(project.run("docker", "run", "--rm", image, "sh", "-c", command).stdout.split())


@pytest.mark.parametrize(
    "answers", [{"starter": "fastapi"}, {"starter": "django"}, {"starter": "flask", "base_image": "ubuntu"}], ids=str
)
def test_nothing_is_compiled_at_a_start(start, answers: dict) -> None:
    """Python itself says where each module came from. It may not write, so that what it would compile it would compile each time."""
    project = start(project_name="demo", **answers)
    tag, _ = project.build()
    port = project.ports["SERVICE_PORT"]
    settings = ["--env", "PYTHONVERBOSE=1", "--env", "DJANGO_SECRET_KEY=x", "--env", "DATABASE_URL=sqlite:////tmp/db"]
    settings += ["--env", "DJANGO_ALLOWED_HOSTS=127.0.0.1"]
    with project.container(
        "--read-only", "--tmpfs", "/tmp", *settings, "--publish", f"127.0.0.1:{port}:8080", tag
    ) as name:
        eventually(lambda: project.get(port="SERVICE_PORT"), lambda page: "Hello" in page)
        result = project.run("docker", "logs", name)
        # Ubuntu's library is behind a link
        real = project.run("docker", "exec", "--env", "PYTHONVERBOSE=", name, "python", "-c", REAL).stdout.split()
    used = {file.replace(*real) for file in re.findall(r"# code object from '([^']+)'", result.stdout + result.stderr)}
    assert len(used) > 200
    assert not {file for file in used if not file.endswith(".pyc")}

    # And exactly what is used is shipped: what else there is came with the image or is of Python's own start
    image = re.search(r"^ARG IMAGE=(.*)$", (project.path / "Dockerfile").read_text(), re.MULTILINE)[1]
    surplus = compiled(project, tag) - used - compiled(project, image)
    assert len(surplus) <= 5, surplus


def test_labels_come_from_build_arguments(start) -> None:
    project = start(project_name="demo", starter="worker")
    labels = {
        "source": "https://example.com/demo",
        "revision": "abc",
        "version": "1.2",
        "created": "2026-01-01T00:00:00Z",
    }
    arguments = [word for name, value in labels.items() for word in ("--build-arg", f"{name.upper()}={value}")]
    tag, _ = project.build(*arguments)
    seen = json.loads(project.run("docker", "image", "inspect", "--format", "{{json .Config.Labels}}", tag).stdout)
    assert {f"org.opencontainers.image.{name}": value for name, value in labels.items()}.items() <= seen.items()


@pytest.mark.parametrize(("builder", "folder"), [("0", "app"), ("1", "app"), ("1", ".")])
def test_a_databases_folder_does_not_end_the_build(start, tmp_path: Path, builder: str, folder: str) -> None:
    """Folders under data/ that the user cannot read, as a database's are; also where data/ lies beside the code."""
    (tmp_path / "code" / folder).mkdir(parents=True)
    (tmp_path / "code" / folder / "main.py").write_text("")
    (tmp_path / "code" / folder / "requirements.txt").write_text("# none\n")
    answers = {
        "project_dir": folder,
        "serve_command": "python main.py",
        "builder": "any" if builder == "0" else "buildkit",
    }
    project = start(tmp_path / "code", starter="existing", **answers)
    secret = project.path / "data/postgres/18"
    secret.mkdir(parents=True)
    (secret / "PG_VERSION").write_text("18\n")
    secret.chmod(0o700)
    project.run("chown", "-R", "999:999", str(project.path / "data/postgres"))
    # pytest's own folders are closed to other users
    for parent in project.path.parents:
        if parent.name.startswith(("pytest-", "popen-", "test_")):
            parent.chmod(0o711)
    socket = Path("/var/run/docker.sock").stat()
    environment = project.env | {
        "DOCKER_BUILDKIT": builder,
        "HOME": str(project.path),
        "DOCKER_CONFIG": str(project.path),
    }
    tag, _ = project.build(
        "--build-arg", "GATE=skip", env=environment, user=1000, group=1000, extra_groups=[socket.st_gid]
    )
    assert not [file for file in image_files(project, tag) if "PG_VERSION" in file]
