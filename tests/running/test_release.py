"""`./sh --release`, and the files of Cloud Build, GitHub and GitLab that call it: run step by step, with a registry on this machine."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import yaml
from project import Project, eventually, free_port
from repository import git, make_repository

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


def run_steps(project: Project, steps: list[tuple[str, dict[str, str]]], **environment: str) -> str:
    """Run scripts one after the other, as a forge does; return what gcloud was called with."""
    tools = project.path.with_name(f"{project.path.name}-tools")
    tools.mkdir()
    calls = tools / "calls"
    for name, text in (("docker", DOCKER), ("gcloud", GCLOUD)):
        (tools / name).write_text(text.format(docker=shutil.which("docker"), calls=calls))
        (tools / name).chmod(0o755)
    for name in ("env", "output", "summary"):
        (tools / name).touch()
    forge = {f"GITHUB_{name}": str(tools / file) for name, file in (("ENV", "env"), ("OUTPUT", "output"))}
    forge["GITHUB_STEP_SUMMARY"] = str(tools / "summary")
    env = project.env | environment | forge | {"PATH": f"{tools}:{os.environ['PATH']}"}
    for script, more in steps:
        kept = dict(line.split("=", 1) for line in (tools / "env").read_text().splitlines())
        # This engine's builder cannot write its cache into a registry
        kept.pop("CACHE_TO", None)
        script = re.sub(r"^.*export CACHE_TO=.*$", "", script, flags=re.MULTILINE)
        project.run("bash", "-e", "-c", script, env=env | kept | more)
    return calls.read_text() if calls.exists() else ""


def values(project: Project, registry: str) -> None:
    file = project.path / "cloudrun/values.env"
    text = re.sub("^REPOSITORY=.*", f"REPOSITORY={registry}", file.read_text(), flags=re.MULTILINE)
    file.write_text(re.sub("^([A-Z_]+)=$", r"\1=some-\1", text, flags=re.MULTILINE))


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
    calls = run_steps(project, [(step["script"], {}) for step in build["steps"]], BUILD_ID="0123")
    assert_deployed(project, registry, calls)


def test_each_run_of_githubs_workflow(start, registry: str) -> None:
    project = start(project_name="demo", cloud_run="service", ci="github")
    values(project, registry)
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
    calls = run_steps(project, [(step, {}) for step in steps], **workflow["env"], **environment)
    assert_deployed(project, registry, calls)
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
    jobs = [re.sub(r'export CACHE_TO="[^"]*"', "true", job) for job in jobs]
    calls = run_steps(project, [(job, {}) for job in jobs], **environment)
    assert "iam workload-identity-pools create-cred-config some-IDENTITY_PROVIDER" in calls
    assert_deployed(project, registry, calls, "jobs")
