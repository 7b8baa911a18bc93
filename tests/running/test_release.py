"""`./sh --release`, and the files of Cloud Build, GitHub and GitLab that call it: run step by step, with a registry on this machine."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import engines
import pytest
import yaml
from project import Project, eventually, free_port
from repository import ROOT, UV_IMAGE, git, make_repository

# What needs a forge, Google, or an image that is not here: said to be done. All else is the real docker
DOCKER = """#!/bin/sh
case "$*" in
    "login "*) exec cat >/dev/null ;;
    "buildx create "* | "context create "*) exit ;;
    *aquasec/trivy*) echo "scanned $*" ; exit ;;
esac
exec {docker} "$@"
"""
GCLOUD = """#!/bin/sh
echo "$*" >>{calls}
case "$*" in *" replace "*) grep -h image: "$4" >>{calls} ;; esac
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry of this machine, which engines take without TLS."""
    folder = tmp_path_factory.mktemp("registry")
    port = free_port()
    (folder / "config.yml").write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {folder}/images\nhttp:\n  addr: 127.0.0.1:{port}\n"
    )
    server = subprocess.Popen(
        ["docker-registry", "serve", folder / "config.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        eventually(
            lambda: subprocess.run(["curl", "-sf", f"http://127.0.0.1:{port}/v2/"], capture_output=True).returncode,
            lambda status: status == 0,
        )
        yield f"127.0.0.1:{port}/containers"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture(scope="module")
def new_engine() -> Iterator[Callable[[], str]]:
    """new_engine() -> the DOCKER_HOST of an engine that has the base images, and nothing else."""
    if not engines.can_start():
        pytest.skip("only root, with dockerd and ip, can start another engine")
    # Sockets have short paths
    folder, numbers = Path(mkdtemp(prefix="engines-")), count()
    images = ["python:3.14-slim-trixie", UV_IMAGE]
    with ExitStack() as stack:

        def new_engine() -> str:
            number = next(numbers)
            return stack.enter_context(engines.empty_engine(folder / str(number), number, images))

        yield new_engine
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def engine(new_engine: Callable[[], str]) -> str:
    return new_engine()


def label(project: Project, image: str, name: str) -> str:
    return project.run(
        "docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{name}"}}}}', image
    ).stdout[:-1]


def exists(project: Project, image: str) -> bool:
    return project.run("docker", "image", "inspect", image, check=False).returncode == 0


def test_only_an_image_whose_tests_pass_beside_the_services_gets_the_name(start) -> None:
    project = start(services=["postgres"])
    # Leaves the lock
    project.compose("run", "--rm", "--build", "--no-deps", "app", "true")
    make_repository(project.path)
    project.give_to(1000)
    name = f"{project.path.name}:release"
    project.images.append(name)
    user = project.as_user()

    # Passes in the build, where there is no service, and beside the services only if the database can be written
    test = project.path / "app/tests/test_database.py"
    good = (
        "import os\n\nimport psycopg\nimport pytest\n\n\n"
        '@pytest.mark.skipif("DATABASE_URL" not in os.environ, reason="no service")\n'
        "def test_database():\n"
        '    with psycopg.connect(os.environ["DATABASE_URL"]) as database:\n'
        '        database.execute("create table released (word text)")\n'
    )
    test.write_text(good + "        assert False\n")
    result = project.sh("--release", name, check=False, **user)
    assert result.returncode == 1 and f"Red tests, or a service that did not start: no image {name}" in result.stderr
    assert not exists(project, name)

    # The service itself does not get ready
    test.write_text(good)
    code = project.path / "app/api/services.py"
    text = code.read_text()
    code.write_text(text.replace("SELECT 1", "SELECT 1 FROM nowhere"))
    result = project.sh("--release", name, check=False, **user)
    assert result.returncode == 1 and f"/ready: 503: no image {name}" in result.stderr
    assert not exists(project, name)

    # The database is new each time, or there would be such a table
    code.write_text(text)
    result = project.sh("--release", name, **user)
    assert "/health: 200\n/ready: 200\n" in result.stdout
    assert label(project, name, "drydock.tests") == re.findall(r"(\d+) passed", result.stdout)[-1] == "10"
    head = git(project.path, "rev-parse", "HEAD").strip()
    assert label(project, name, "org.opencontainers.image.revision") == f"{head}-dirty"
    lock = project.run("sha256sum", "app/uv.lock").stdout.split()[0]
    assert label(project, name, "drydock.lock") == lock

    left = project.run("docker", "ps", "--all", "--format", "{{.Names}}").stdout
    left += project.run("docker", "images", "--format", "{{.Repository}}").stdout
    assert f"{project.path.name}-release" not in left
    assert not list(project.path.glob("data/postgres/*/")), "it wrote into the data of development"


def run_scripts(project: Project, scripts: list[str], **environment: str) -> tuple[str, str]:
    """Run scripts one after the other, as a forge does; return what gcloud was called with, and all that was said."""
    tools = project.path.with_name(f"{project.path.name}-tools")
    tools.mkdir(exist_ok=True)
    calls = tools / "calls"
    for name, text in (("docker", DOCKER), ("gcloud", GCLOUD)):
        (tools / name).write_text(text.format(docker=shutil.which("docker"), calls=calls))
        (tools / name).chmod(0o755)
    for name in ("env", "output", "summary"):
        (tools / name).touch()
    forge = {f"GITHUB_{name}": str(tools / file) for name, file in (("ENV", "env"), ("OUTPUT", "output"))}
    forge["GITHUB_STEP_SUMMARY"] = str(tools / "summary")
    env = project.env | environment | forge | {"PATH": f"{tools}:{os.environ['PATH']}"}
    # The machine's own engine cannot write its cache into a registry: another one does, below
    if "DOCKER_HOST" not in env:
        scripts = [script.replace("CACHE_TO", "UNUSED") for script in scripts]
    log = ""
    for script in scripts:
        kept = dict(line.split("=", 1) for line in (tools / "env").read_text().splitlines())
        result = project.run("bash", "-e", "-c", script, env=env | kept)
        log += result.stdout + result.stderr
    return calls.read_text() if calls.exists() else "", log


def values(project: Project, registry: str) -> None:
    file = project.path / "cloudrun/values.env"
    text = re.sub("^REPOSITORY=.*", f"REPOSITORY={registry}", file.read_text(), flags=re.MULTILINE)
    file.write_text(re.sub("^([A-Z_]+)=$", r"\1=some-\1", text, flags=re.MULTILINE))


def check_out(project: Project) -> str:
    """Leave of the project what a forge would check out, and return the commit."""
    make_repository(project.path)
    project.give_to(os.getuid())
    git(project.path, "clean", "-ffdxq")
    return git(project.path, "rev-parse", "HEAD").strip()


def assert_deployed(project: Project, registry: str, calls: str, kind: str = "services") -> None:
    """Assert that the image in the registry is the one that is deployed, by its digest."""
    digests = set(re.findall(r"image: (\S+)", calls))
    assert len(digests) == 1, calls
    (image,) = digests
    assert f"run {kind} replace" in calls
    seen = json.loads(project.run("skopeo", "inspect", "--tls-verify=false", f"docker://{image}").stdout)
    assert image == f"{registry}/demo@{seen['Digest']}"
    assert int(seen["Labels"]["drydock.tests"]) > 1


def test_cloud_builds_steps_deploy_what_was_tested(start, registry: str) -> None:
    project = start(project_name="demo", cloud_run="service")
    values(project, registry)
    build = yaml.safe_load((project.path / "cloudrun/cloudbuild.yaml").read_text())
    project.images.append(f"{registry}/demo:0123")
    calls, _ = run_scripts(project, [step["script"] for step in build["steps"]], BUILD_ID="0123")
    assert_deployed(project, registry, calls)


SCANNER = """
import json, os
from importlib.metadata import distributions
from pathlib import Path

folders = Path(os.environ["BUILDKIT_SCAN_SOURCE"]).glob("opt/venv/lib/*/site-packages")
packages = [{"name": found.name, "versionInfo": found.version} for found in distributions(path=map(str, folders))]
statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document"}
statement["predicate"] = {"spdxVersion": "SPDX-2.3", "packages": packages}
Path(os.environ["BUILDKIT_SCAN_DESTINATION"], "packages.spdx.json").write_text(json.dumps(statement))
"""


def use(project: Project, host: str) -> None:
    """Let a project be built by another engine."""
    project.env["DOCKER_HOST"] = host
    network = "{build: {network: host}}"
    (project.path / "compose.override.yaml").write_text(f"services:\n  tests: {network}\n  service: {network}\n")


def layers(project: Project, image: str) -> list[str]:
    return json.loads(project.run("docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", image).stdout)


def instructions(log: str) -> dict[str, set[str]]:
    """Return the RUN instructions in a build's log: those that said something, so were run, and those with a cached layer."""
    found: dict[str, set[str]] = {"run": set(), "cached": set()}
    for number, text in re.findall(r"^#(\d+) \[.*\] (RUN .*)$", log, re.MULTILINE):
        if re.search(rf"^#{number} \d+\.\d+ ", log, re.MULTILINE):
            found["run"].add(text)
        if f"\n#{number} CACHED\n" in log:
            found["cached"].add(text)
    return found


def test_the_layer_cache_in_a_registry_serves_an_empty_engine(start, registry: str, engine: str, new_engine) -> None:
    """Cloud Build's steps to the push, with the builder's own --cache-from and --cache-to: this engine has the store for it."""
    project = start(project_name="demo", cloud_run="service")
    values(project, registry)
    steps = yaml.safe_load((project.path / "cloudrun/cloudbuild.yaml").read_text())["steps"]
    scripts = [step["script"] for step in steps if step["id"] in ("release", "push")]
    assert len(scripts) == 2 and "CACHE_TO" in scripts[0]
    seen = []
    for build, host in (("first", engine), ("second", new_engine())):
        use(project, host)
        _, log = run_scripts(project, scripts, BUILD_ID=build)
        image = f"{registry}/demo:{build}"
        digest = (project.path / "cloudrun/digest").read_text().strip()
        pushed = json.loads(project.run("skopeo", "inspect", "--tls-verify=false", f"docker://{image}").stdout)
        assert digest == f"{registry}/demo@{pushed['Digest']}"
        seen.append((instructions(log), layers(project, image)))
    (_, made), (second, taken) = seen
    assert not second["run"] and len(second["cached"]) > 10
    assert taken == made


def test_attestations_say_what_an_image_was_made_of(start, registry: str, engine: str, tmp_path: Path) -> None:
    project = start(project_name="demo", cloud_run="service")
    use(project, engine)
    (tmp_path / "scan.py").write_text(SCANNER)
    (tmp_path / "Dockerfile").write_text(
        'FROM python:3.14-slim-trixie\nCOPY scan.py /\nENTRYPOINT ["python", "/scan.py"]\n'
    )
    build = ["docker", "buildx", "build", "--network", "host", "--push"]
    project.run(*build, "--tag", f"{registry}/scanner", str(tmp_path))
    name = f"{registry}/demo:attested"
    sbom = f"--attest=type=sbom,generator={registry}/scanner"
    project.run(*build, sbom, "--provenance=mode=max", "--tag", name, ".")
    # As the docs say
    commands = re.findall(
        r"^docker buildx imagetools inspect .*$", (ROOT / "docs/cloud-run.md").read_text(), re.MULTILINE
    )
    sboms, provenance, bases, packages = [
        project.run("sh", "-c", command.replace("NAME", name)).stdout for command in commands
    ]
    assert "SPDX-2.3" in sboms and "SLSA" in provenance
    assert "pkg:docker/python@3.14-slim-trixie" in bases and "sha256" in bases
    names = [line.split()[0] for line in packages.splitlines() if line]
    assert {"fastapi", "uvicorn"} <= set(names) and "pytest" not in names


def test_each_run_of_githubs_workflow(start, registry: str) -> None:
    project = start(project_name="demo", cloud_run="service", ci="github")
    values(project, registry)
    commit = check_out(project)
    workflow = yaml.safe_load((project.path / ".github/workflows/ci.yml").read_text())
    jobs = workflow["jobs"]
    steps = [step["run"] for step in jobs["deploy"]["steps"] if "run" in step]
    # Pull requests run the first of them
    requests = [step["run"] for step in jobs["test"]["steps"] if "run" in step]
    assert len(requests) == 5 and requests[1:] == steps[1:5]
    environment = {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_ACTOR": "a",
        "GITHUB_REPOSITORY": "Some/Demo",
        "GITHUB_SHA": "0123",
        "TOKEN": "x",
    }
    project.images += ["demo:ci", f"{registry}/demo:0123"]
    calls, _ = run_scripts(project, [requests[0], *steps], **workflow["env"], **environment)
    assert_deployed(project, registry, calls)
    assert label(project, "demo:ci", "org.opencontainers.image.revision") == commit
    tools = project.path.with_name(f"{project.path.name}-tools")
    assert re.search(r"^\d+ bytes, \d+ tests", (tools / "summary").read_text())
    assert (
        (tools / "output")
        .read_text()
        .startswith("provider=some-IDENTITY_PROVIDER\naccount=demo-deploy@some-PROJECT_ID.")
    )


def test_each_line_of_gitlabs_jobs(start, registry: str) -> None:
    project = start(project_name="demo", cloud_run="job", starter="worker", ci="gitlab")
    values(project, registry)
    commit = check_out(project)
    pipeline = yaml.safe_load((project.path / ".gitlab-ci.yml").read_text())
    environment = {
        "CI_PIPELINE_SOURCE": "push",
        "CI_REGISTRY": "r",
        "CI_REGISTRY_USER": "u",
        "CI_REGISTRY_PASSWORD": "p",
        "CI_COMMIT_SHA": "0123",
    }
    environment |= {"CI_REGISTRY_IMAGE": "r/demo", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
    environment |= pipeline["variables"] | {"GOOGLE_TOKEN": "x"}
    project.images += ["demo:ci", f"{registry}/demo:0123"]
    jobs = ["\n".join(pipeline[job]["script"]) for job in ("test", "deploy")]
    calls, _ = run_scripts(project, jobs, **environment)
    assert "iam workload-identity-pools create-cred-config some-IDENTITY_PROVIDER" in calls
    assert_deployed(project, registry, calls, "jobs")
    assert label(project, "demo:ci", "org.opencontainers.image.revision") == commit
