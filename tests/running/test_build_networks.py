"""Networks as companies have them: a proxy that opens TLS and signs it anew with a CA of its own, and mirrors behind passwords.

No other way out is left: for the build, the names of the real servers lead nowhere.
"""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from kinds import KINDS
from project import Project
from repository import ROOT, git, make_repository

PASSWORD = "open-sesame-4711"
NOWHERE = [
    f"--add-host={name}:127.0.0.1" for name in ("pypi.org", "files.pythonhosted.org", "deb.debian.org", "github.com")
]
SECTIONS = {"run": "apt_install libyaml-0-2", "build": "apt_install libyaml-dev", "dev": "apt_install less"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CA of ours (ca.crt, ca.key), a key to sign with, and a certificate of mirror.test."""
    folder = tmp_path_factory.mktemp("authority")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.crt")
    ca.private_key_pem.write_to_path(folder / "ca.key")
    server = ca.issue_cert("mirror.test")
    server.private_key_pem.write_to_path(folder / "server.key")
    for pem in server.cert_chain_pems:
        pem.write_to_path(folder / "server.crt", append=True)
    return folder


def secrets(project: Project, **settings: str) -> tuple[list[str], dict[str, str]]:
    """Return the words for `docker build` that pass these settings of package indexes as secrets, and the environment for it."""
    return [word for name in settings for word in ("--secret", f"id={name},env={name}")], project.env | settings


def lay(start, authority: Path, tmp_path: Path, **answers: str) -> Project:
    """Start a project that installs something in each stage and trusts the CA."""
    kind = KINDS["requirements"]
    project = start(kind.make(tmp_path / "code"), **kind.answers, **answers)
    project.write_sections(**SECTIONS)
    (project.path / "certificates").mkdir(exist_ok=True)
    (project.path / "certificates/company.crt").write_bytes((authority / "ca.crt").read_bytes())
    return project


def tell(project: Project, *tags: str) -> bool:
    """Tell whether the password is in images: in a history, in settings, or in a layer."""
    history = project.run("docker", "image", "inspect", *tags).stdout
    history += "".join(project.run("docker", "history", "--no-trunc", tag).stdout for tag in tags)
    # One archive has each layer once
    said = project.run(
        "sh",
        "-c",
        f"docker save {' '.join(tags)} | grep --text --only-matching -e {PASSWORD} -e manifest.json | sort -u",
    ).stdout
    assert "manifest.json" in said
    return PASSWORD in history + said


def builds(project: Project, *arguments: str, env: dict[str, str] | None = None) -> None:
    """Build what ships, what to work in and the tests: none may tell the password, nor may what they are made of."""
    tags: list[str] = []
    for target, cache in (("service", "--no-cache"), ("localdev", "--no-cache=false"), ("tests", "--no-cache=false")):
        tag, _ = project.build(cache, "--target", target, *NOWHERE, *arguments, env=env or project.env)
        tags.append(tag)
        project.run("docker", "run", "--rm", "--entrypoint", "sh", tag, "-c", "! grep -rs mirror.test /etc/apt")
    assert not tell(project, *tags)


@contextmanager
def proxy(project: Project, authority: Path) -> Iterator[tuple[str, str]]:
    """A proxy in a container: its name, and its URL."""
    options = "--hostname 0.0.0.0 --port 3128 --num-workers 1 --timeout 60 --ca-cert-dir /tmp/certificates"
    keys = "--ca-key-file /ca/ca.key --ca-cert-file /ca/ca.crt --ca-signing-key-file /ca/server.key --ca-file $SSL_CERT_FILE"
    command = f"pip install --quiet --root-user-action ignore proxy.py==2.4.10 && exec proxy {options} {keys} --basic-auth user:{PASSWORD}"
    with project.container("--volume", f"{authority}:/ca:ro", "python:3.14-slim", "sh", "-c", command) as name:
        yield name, f"http://user:{PASSWORD}@{project.address(name, 3128)}:3128"


@pytest.mark.parametrize(
    ("base_image", "builder"), [("slim", "1"), ("ubuntu", "1"), pytest.param("slim", "0", marks=pytest.mark.slow)]
)
def test_behind_a_proxy_with_a_ca_of_its_own(
    start, authority: Path, tmp_path: Path, base_image: str, builder: str
) -> None:
    answers = {"base_image": base_image, "python_version": "3.13", "builder": "buildkit" if builder == "1" else "any"}
    project = lay(start, authority, tmp_path, **answers)
    environment = project.env | {"DOCKER_BUILDKIT": builder}
    with proxy(project, authority) as (name, url):
        builds(project, "--build-arg", f"HTTP_PROXY={url}", "--build-arg", f"HTTPS_PROXY={url}", env=environment)
        logs = project.run("docker", "logs", name)
    text = logs.stdout + logs.stderr
    assert "deb.debian.org" in text and "files.pythonhosted.org" in text, text[-3000:]


def test_a_ca_that_nobody_knows_is_not_trusted(start, authority: Path, tmp_path: Path) -> None:
    project = lay(start, authority, tmp_path)
    (project.path / "certificates/company.crt").unlink()
    (project.path / "build.sh").write_text("true\n")
    with proxy(project, authority) as (_, url):
        _, result = project.build("--no-cache", *NOWHERE, "--build-arg", f"HTTPS_PROXY={url}", check=False)
    assert result.returncode != 0
    assert "invalid peer certificate" in result.stderr, result.stderr[-3000:]


@contextmanager
def mirror(project: Project, authority: Path) -> Iterator[tuple[str, str]]:
    """A mirror in a container: its name, and the word for `docker build` that finds it as mirror.test."""
    volumes = ["--volume", f"{authority}:/ca:ro", "--volume", f"{ROOT}/tests/mirror.py:/mirror.py:ro"]
    command = ["python", "/mirror.py", "/ca/server.crt", "/ca/server.key", PASSWORD]
    with project.container(*volumes, "python:3.14-slim", *command) as name:
        yield name, f"--add-host=mirror.test:{project.address(name, 8443)}"


APT = ["--build-arg", "APT_MIRROR=https://mirror.test:8443"]
# What docs/networks.md says
TELLING = {"inputs", "python", "requirements", "tools", "deps", "test-deps"}


def index() -> str:
    """Return the address of an index that no cache knows."""
    return f"https://user:{PASSWORD}@mirror.test:8443/simple-{uuid.uuid4().hex}"


@pytest.mark.parametrize(("base_image", "builder"), [("slim", "buildkit"), ("ubuntu", "buildkit"), ("slim", "any")])
def test_mirrors_behind_tls_and_a_password(
    start, authority: Path, tmp_path: Path, base_image: str, builder: str
) -> None:
    """No layer and no history of any stage tells the password, but with `any` those that the documentation names."""
    project = lay(start, authority, tmp_path, base_image=base_image, python_version="3.13", builder=builder)
    words, environment = secrets(project, UV_DEFAULT_INDEX=index())
    if builder == "any":
        words = ["--build-arg", "UV_DEFAULT_INDEX"]
    with mirror(project, authority) as (name, host):
        builds(project, host, *APT, *words, env=environment)
        served = project.run("docker", "logs", name).stdout
        assert re.search(r"200 /simple-\w+/six/", served) and "200 /files/" in served and "200 /debian/dists/" in served
        stages = set(re.findall(r"^FROM \S+ AS (\S+)$", (project.path / "Dockerfile").read_text(), re.MULTILINE)) - {
            "uv"
        }
        # The rest is the same for both bases
        tags = {
            stage: project.build("--target", stage, *NOWHERE, host, *APT, *words, env=environment)[0]
            for stage in stages
            if base_image == "slim"
        }
    telling = [tags.pop(stage) for stage in TELLING if builder == "any"]
    assert not tags or not tell(project, *tags.values())
    if telling:
        assert tell(project, *telling)
        assert {f"`{stage}`" for stage in TELLING} <= set(
            re.findall(r"`[\w-]+`", (ROOT / "docs/networks.md").read_text())
        )


def fetched(project: Project, name: str) -> dict[str, int]:
    """Return what a mirror has served, each path with the bytes."""
    lines = re.findall(r"^200 (\S+) (\d+)$", project.run("docker", "logs", name).stdout, re.MULTILINE)
    seen: dict[str, int] = {}
    for path, size in lines:
        seen[path] = seen.get(path, 0) + int(size)
    return seen


def test_an_edit_fetches_only_what_is_new(start, authority: Path, tmp_path: Path) -> None:
    project = lay(start, authority, tmp_path)
    words, environment = secrets(project, UV_DEFAULT_INDEX=index())
    requirements = project.path / "requirements/base.txt"

    def build_again() -> dict[str, int]:
        """Return what both images fetched that was not fetched before, or was again."""
        before = fetched(project, name)
        for target in ("service", "localdev"):
            project.build("--target", target, *NOWHERE, host, *APT, *words, env=environment)
        return {
            path: size - before.get(path, 0)
            for path, size in fetched(project, name).items()
            if size > before.get(path, 0)
        }

    with mirror(project, authority) as (name, host):
        first = build_again()
        assert any(path.endswith(".whl") for path in first)
        requirements.write_text(requirements.read_text() + "toolz\n")
        new = build_again()
        wheels = {path: size for path, size in new.items() if path.endswith(".whl")}
        assert [re.sub(r".*/|-.*", "", path) for path in wheels] == ["toolz"]
        assert sum(new.values()) <= sum(wheels.values()) + 300_000, new

        project.write_sections(
            **{section: f"{command} tree\n# {uuid.uuid4()}" for section, command in SECTIONS.items()}
        )
        new = build_again()
        assert {re.sub(r".*/|_.*", "", path) for path in new if path.endswith(".deb")} <= {"tree"}, new
        assert all(path.startswith("/debian") for path in new), new


def test_a_lock_made_behind_a_mirror_names_pypi(start, authority: Path) -> None:
    project = start(starter="worker", services=["redis"])
    project.write_sections()
    (project.path / "certificates").mkdir()
    (project.path / "certificates/company.crt").write_bytes((authority / "ca.crt").read_bytes())
    words, environment = secrets(project, UV_DEFAULT_INDEX=f"https://user:{PASSWORD}@mirror.test:8443/simple/")
    with mirror(project, authority) as (name, host):
        tag, _ = project.build(
            "--no-cache-filter", "requirements", "--target", "localdev", *words, *NOWHERE, host, env=environment
        )
        assert "200 /simple/pytest/" in project.run("docker", "logs", name).stdout
    lock = project.run("docker", "run", "--rm", "--entrypoint", "cat", tag, "/opt/uv.lock").stdout
    assert set(re.findall(r"https?://[^/]+/\w+", lock)) == {
        "https://pypi.org/simple",
        "https://files.pythonhosted.org/packages",
    }
    (project.path / "app/uv.lock").write_text(lock)
    project.up()
    project.sh("uv", "sync", "--locked", "--check")
    # As long as nothing is new, uv leaves a lock as it is
    project.sh("uv", "lock")
    assert (project.path / "app/uv.lock").read_text() == lock


def test_a_mirror_of_pythons(start, authority: Path, tmp_path: Path) -> None:
    """What the mirror serves must be what uv knows, and none of that is here: that it is asked is what can be seen."""
    project = lay(start, authority, tmp_path, base_image="ubuntu", python_version="3.13")
    plain = f"{project.path.name}:plain"
    project.images.append(plain)
    # Without the list of archives that the stand-in has in place of uv's own
    project.run("docker", "build", "-t", plain, "-", input="FROM ubuntu:26.04\nRUN rm -f /etc/uv/uv.toml\n")
    url = f"https://user:{PASSWORD}@mirror.test:8443/python"
    words, environment = secrets(project, UV_PYTHON_INSTALL_MIRROR=url)
    with mirror(project, authority) as (name, host):
        _, result = project.build(host, "--build-arg", f"IMAGE={plain}", *words, env=environment, check=False)
        served = project.run("docker", "logs", name).stdout
    assert result.returncode != 0
    assert "404 /python/" in served, result.stderr[-3000:]


def test_a_password_in_apt_mirror_is_refused(start, authority: Path, tmp_path: Path) -> None:
    """Every image keeps that argument in its history."""
    project = lay(start, authority, tmp_path)
    _, result = project.build("--build-arg", f"APT_MIRROR=https://user:{PASSWORD}@mirror.test", check=False)
    assert result.returncode != 0
    assert "APT_MIRROR must not contain a password" in result.stderr


def test_a_package_by_git(start, tmp_path: Path) -> None:
    """Git is a tool to build with, and no tag of the repository but the named one will do."""
    package = tmp_path / "greeting"
    package.mkdir()
    (package / "pyproject.toml").write_text('[project]\nname = "greeting"\nversion = "1"\n')
    (package / "greeting.py").write_text('WORD = "hello by git"\n')
    make_repository(package)
    git(package, "tag", "v1")
    (package / "greeting.py").write_text("WORD = 2\n")
    git(package, "commit", "-qam", "another word")
    git(package, "update-server-info")

    code = tmp_path / "code"
    code.mkdir()
    (code / "requirements.txt").write_text("greeting @ git+http://git.test:8000/greeting/.git@v1\n")
    (code / "main.py").write_text("from greeting import WORD\n\nprint(WORD)\n")
    project = start(code, starter="existing", serve_command="python main.py", serve_imports="main")
    with project.container(
        "--volume", f"{tmp_path}:/srv:ro", "python:3.14-slim", "python", "-m", "http.server", "--directory", "/srv"
    ) as name:
        host = f"--add-host=git.test:{project.address(name, 8000)}"
        _, result = project.build(host, check=False)
        assert result.returncode != 0
        assert "Git executable not found" in result.stderr and "section build of build.sh" in result.stderr, (
            result.stderr[-3000:]
        )
        project.write_sections(build="apt_install git")
        tag, _ = project.build(host)
    assert project.run("docker", "run", "--rm", tag).stdout == "hello by git\n"
