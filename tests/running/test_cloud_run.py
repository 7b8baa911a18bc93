"""`./sh --cloud-run`: starters keep Cloud Run's contract, and each broken application breaks the rule that it is broken by."""

import os
import re
import subprocess

import pytest
import trustme
from project import Project, eventually

SERVE = "exec uvicorn broken:app --host 0.0.0.0 --port $PORT"
# What is broken -> the rule that says so, lines that break it, and the command, where it is another
BROKEN_SERVICES = {
    "another port": ("port", "", "exec uvicorn broken:app --host 0.0.0.0 --port 8123"),
    "listens on 127.0.0.1": ("address", "", "exec uvicorn broken:app --host 127.0.0.1 --port $PORT"),
    "ignores SIGTERM": ("stop", "", "uvicorn broken:app --host 0.0.0.0 --port $PORT; true"),
    "drops requests": (
        "stop",
        """
        import asyncio, os, signal

        @app.middleware("http")
        async def slow(request, call_next):
            await asyncio.sleep(0.2)
            return await call_next(request)

        @app.on_event("startup")
        async def end_at_once():
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        """,
        SERVE,
    ),
    "writes into its source tree": ("files", 'open("/app/cache.txt", "w").write("x")', SERVE),
    "writes elsewhere": ("files", 'open("/home/app/cache.txt", "w").write("x")', SERVE),
    "needs a secret that the manifest lacks": ("start", 'import os; os.environ["API_KEY"]', SERVE),
    "needs root": ("user", 'open("/etc/shadow").read()', SERVE),
    "leaks": (
        "memory",
        """
        kept = []

        @app.middleware("http")
        async def leak(request, call_next):
            kept.append(bytearray(b"x" * 300_000))
            return await call_next(request)
        """,
        SERVE,
    ),
    "needs more memory": (
        "memory",
        """
        kept = []

        @app.middleware("http")
        async def leak(request, call_next):
            if request.url.path == "/":
                kept.append(bytearray(b"x" * 10_000_000))
            return await call_next(request)
        """,
        SERVE,
    ),
    "answers the probe with 500": (
        "probes",
        """
        @app.middleware("http")
        async def fail(request, call_next):
            response = await call_next(request)
            response.status_code = 500 if request.url.path == "/health" else 200
            return response
        """,
        SERVE,
    ),
    "blocks": (
        "concurrency",
        """
        import time

        @app.middleware("http")
        async def block(request, call_next):
            if request.url.path == "/":
                time.sleep(0.1)
            return await call_next(request)
        """,
        SERVE,
    ),
    "logs into a file": (
        "logs",
        'import logging; logging.getLogger().addHandler(logging.FileHandler("/tmp/messages"))',
        SERVE,
    ),
    "logs JSON without severity": ("logs", 'print(\'{"level": "info"}\')', SERVE),
}
BROKEN_JOBS = {
    "fails when tried again": ("retry", 'assert os.environ["CLOUD_RUN_TASK_ATTEMPT"] == "0"'),
    "has no work for a task": ("index", 'print(["a"][int(os.environ["CLOUD_RUN_TASK_INDEX"])])'),
    "fails": ("tasks", "1 / 0"),
    "ignores SIGTERM": (
        "stop",
        "import time; time.sleep(12 if os.environ['CLOUD_RUN_TASK_INDEX'] + os.environ['CLOUD_RUN_TASK_ATTEMPT'] == '00' else 0)",
    ),
    "writes elsewhere": ("files", 'open("/home/app/result.txt", "w").write("x")'),
}
RULES = "platform user port probes concurrency memory stop files logs size cold"


def dedent(text: str) -> str:
    return "\n".join(re.sub(r"^ {8}", "", line) for line in text.splitlines())


def break_it(project: Project, image: str, name: str, code: str, command: str) -> str:
    """Make an image that is broken from one that is not."""
    folder = project.path.with_name(f"{project.path.name}-broken")
    folder.mkdir(exist_ok=True)
    (folder / "broken.py").write_text(code)
    words = ", ".join(f'"{word}"' for word in ("sh", "-c", command))
    (folder / "Dockerfile").write_text(f"FROM {image}\nCOPY broken.py /app/\nCMD [{words}]\n")
    tag = f"{project.path.name}:{re.sub('[^a-z]', '-', name.lower())}"
    project.images.append(tag)
    project.run("docker", "build", "--quiet", "--tag", tag, str(folder))
    return tag


def rules(text: str, mark: str) -> list[str]:
    return re.findall(rf"^{mark} (\w+)", text, re.MULTILINE)


@pytest.fixture(scope="module")
def service(start_shared) -> tuple[Project, str]:
    project = start_shared(cloud_run="service")
    return project, project.build()[0]


@pytest.fixture(scope="module")
def job(start_shared) -> tuple[Project, str]:
    project = start_shared(cloud_run="job", starter="worker")
    return project, project.build()[0]


@pytest.mark.parametrize("starter", ["django", "flask"])
def test_a_starter_keeps_every_rule(start, starter: str) -> None:
    project = start(starter=starter, cloud_run="service", services=["postgres"])
    result = project.sh("--cloud-run")
    assert result.stdout.startswith("Still to fill in, in cloudrun/values.env: PROJECT_ID REGION\n")
    assert rules(result.stdout, " ") == RULES.split()
    assert "lines are JSON with a severity" in result.stdout
    assert int(re.search(r"answers to (\d+) requests", result.stdout)[1])


@pytest.mark.parametrize("interrupted", [False, True])
def test_fastapi_keeps_every_rule_and_nothing_is_left(service: tuple[Project, str], interrupted: bool) -> None:
    project, image = service
    command = [str(project.path / "sh"), "--cloud-run", image]
    process = subprocess.Popen(command, env=project.env, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    name = f"cloud-run-{process.pid}"
    if interrupted:
        eventually(lambda: project.run("docker", "ps", "--quiet", "--filter", f"name={name}").stdout, bool)
        process.terminate()
    text, _ = process.communicate(timeout=60)
    if interrupted:
        assert process.returncode == 130
    else:
        assert rules(text, " ") == RULES.split()
        # Requests were in flight, or nothing was proven
        assert int(re.search(r"answers to (\d+) requests", text)[1])
    assert not project.run("docker", "ps", "--all", "--quiet", "--filter", f"name={name}").stdout
    assert not project.run("docker", "network", "ls", "--quiet", "--filter", f"name={name}").stdout


# Another way to break a rule that has one
SLOW = {"needs more memory", "writes elsewhere"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in BROKEN_SERVICES]
)
def test_a_broken_service_breaks_its_rule(service: tuple[Project, str], name: str) -> None:
    project, image = service
    rule, code, command = BROKEN_SERVICES[name]
    tag = break_it(project, image, name, f"from api.main import app\n{dedent(code)}\n", command)
    result = project.sh("--cloud-run", tag, check=False)
    assert rules(result.stdout, "!") == [rule], result.stdout + result.stderr
    assert result.returncode == 1
    assert result.stdout.endswith(f"Broken: {rule}\n")


def test_an_image_that_is_root_s_breaks_a_rule(service: tuple[Project, str]) -> None:
    project, image = service
    tag = f"{project.path.name}:root"
    project.images.append(tag)
    project.run("docker", "build", "--tag", tag, "-", input=f"FROM {image}\nUSER root\n")
    assert rules(project.sh("--cloud-run", tag, check=False).stdout, "!") == ["user"]


def test_a_worker_keeps_every_rule(job: tuple[Project, str]) -> None:
    project, image = job
    result = project.sh("--cloud-run", image)
    assert rules(result.stdout, " ") == "platform user tasks files logs retry index memory stop size".split()


@pytest.mark.parametrize("name", BROKEN_JOBS)
def test_a_broken_job_breaks_its_rule(job: tuple[Project, str], name: str) -> None:
    project, image = job
    rule, code = BROKEN_JOBS[name]
    tag = break_it(project, image, f"job {name}", f"import os\n{code}\n", "exec python broken.py")
    result = project.sh("--cloud-run", tag, check=False)
    assert rules(result.stdout, "!") == [rule], result.stdout + result.stderr


def test_the_figures_come_from_the_manifest(service: tuple[Project, str]) -> None:
    project, image = service
    manifest = project.path / "cloudrun/service.yaml"
    text = manifest.read_text()
    try:
        manifest.write_text(
            text.replace("containerConcurrency: 80", "containerConcurrency: 7").replace("512Mi", "1Gi")
            + '            - {name: GREETING, value: "a b$c"}\n'
        )
        result = project.sh("--cloud-run", image)
    finally:
        manifest.write_text(text)
    assert "7 requests to / at once" in result.stdout
    assert "of 1024 MiB" in result.stdout


def test_values_are_named_until_they_are_there(service: tuple[Project, str]) -> None:
    project, _ = service
    values = project.path / "cloudrun/values.env"
    text = values.read_text()
    result = project.sh("--cloud-run", "--values", check=False)
    assert (result.returncode, result.stdout) == (1, "cloudrun/values.env: fill in PROJECT_ID REGION\n")
    try:
        values.write_text(text.replace("PROJECT_ID=\n", "PROJECT_ID=my-project\n").replace("REGION=\n", "REGION=x\n"))
        assert project.sh("--cloud-run", "--values").stdout == "cloudrun/values.env: complete\n"
    finally:
        values.write_text(text)


def test_without_the_answer_it_says_how_to_get_it(render) -> None:
    path = render()
    result = Project(path).sh("--cloud-run", check=False, env=os.environ)
    assert result.returncode == 2 and "-d cloud_run=service" in result.stderr


def test_databases_elsewhere_by_a_socket_and_by_tls(start) -> None:
    """As Cloud SQL's socket in /cloudsql, and Memorystore behind a CA of its own."""
    project = start(services=["postgres", "redis"], cloud_run="service")
    authority = trustme.CA()
    name = project.path.name
    server = authority.issue_cert(f"{name}-redis")
    (project.path / "certificates").mkdir()
    authority.cert_pem.write_to_path(project.path / "certificates/memorystore.crt")
    folder = project.path / "data/tls"
    folder.mkdir()
    server.private_key_pem.write_to_path(folder / "key.pem")
    server.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    project.give_to(1000)
    image, _ = project.build()
    docker = ["docker", "run", "--detach", "--network", name]
    project.run("docker", "network", "create", name)
    volume = f"{name}:/cloudsql"
    try:
        project.run("docker", "run", "--rm", "--user", "0", "--volume", volume, image, "chmod", "777", "/cloudsql")
        project.run(
            *docker,
            *("--name", f"{name}-postgres", "--volume", volume, "--env", "POSTGRES_PASSWORD=secret"),
            *("postgres:18", "postgres", "-c", "unix_socket_directories=/cloudsql"),
        )
        project.run(
            *docker,
            *("--name", f"{name}-redis", "--volume", f"{folder}:/tls:ro", "--user", "1000:1000", "redis:8"),
            *("redis-server", "--port", "0", "--tls-port", "6378", "--tls-auth-clients", "no"),
            *("--tls-cert-file", "/tls/cert.pem", "--tls-key-file", "/tls/key.pem", "--requirepass", "secret"),
        )
        settings = {
            "K_SERVICE": "demo",
            "DATABASE_URL": "postgresql://postgres:secret@/postgres?host=/cloudsql",
            "REDIS_URL": f"rediss://:secret@{name}-redis:6378/0",
        }
        words = [word for key, value in settings.items() for word in ("--env", f"{key}={value}")]
        words += ["--publish", f"127.0.0.1:{project.ports['SERVICE_PORT']}:8080", "--volume", volume]
        with project.container(*words, "--network", name, image):
            eventually(lambda: project.get("/ready", port="SERVICE_PORT"), lambda text: text == "Ready")
            # It is really asked: without one of them it is not ready
            project.run("docker", "stop", "--time", "3", f"{name}-redis")
            assert project.get("/ready", port="SERVICE_PORT") == "No answer: redis"
    finally:
        project.run("docker", "rm", "--force", "--volumes", f"{name}-postgres", f"{name}-redis", check=False)
        project.run("docker", "volume", "rm", name, check=False)
        project.run("docker", "network", "rm", name, check=False)
