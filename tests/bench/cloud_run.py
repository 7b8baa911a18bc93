"""`./sh --cloud-run`, and starters beside the same code in the shape of Google's samples: cold start, and requests per second.

Usage: uv run python tests/bench/cloud_run.py [ROUNDS]
The sample: FROM python-slim, COPY . ., pip install, and gunicorn with 1 worker and 8 threads, or uvicorn. Both run with 1 CPU and 512 MiB, in turn.
Cold start: `docker run` to the first 200 of /health. Load: at the concurrency that cloudrun/service.yaml declares. Prints medians, and ratios beside
their targets; the processor's time hangs less on what else the machine does. Needs an engine, the base image and PyPI.
"""

import http.client
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from copier import run_copy  # noqa: E402
from project import Project, free_port  # noqa: E402
from repository import ROOT  # noqa: E402

SAMPLE = """\
FROM python:3.14-slim
ENV PYTHONUNBUFFERED=True PYTHONPATH=/app
WORKDIR /app
COPY . ./
RUN pip install --no-cache-dir {requirements}{more}
CMD exec {command}
"""
GUNICORN = "gunicorn --config /dev/null --bind :$PORT --workers 1 --threads 8 --timeout 0"
COMMANDS = {
    "fastapi": "uvicorn api.main:app --host 0.0.0.0 --port $PORT",
    "flask": f"{GUNICORN} 'web:create_app()'",
    "django": f"{GUNICORN} config.wsgi",
}
SETTINGS = {
    "K_SERVICE": "demo",
    "PORT": "8080",
    "DATABASE_URL": "sqlite://:memory:",
    "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
    "DJANGO_SECRET_KEY": "x" * 60,
}
STATIC = " && DJANGO_DEBUG=1 python manage.py collectstatic --noinput"
REQUESTS = 2000


def start(image: str, port: int) -> tuple[str, float]:
    """Run an image as Cloud Run would; return its container, and the seconds to its first 200."""
    words = [word for name, value in SETTINGS.items() for word in ("--env", f"{name}={value}")]
    words += ["--cpus", "1", "--memory", "512m", "--publish", f"127.0.0.1:{port}:8080"]
    begin = time.perf_counter()
    command = ["docker", "run", "--detach", "--rm", *words, image]
    container = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return container, time.perf_counter() - begin
        except (OSError, http.client.HTTPException):
            time.sleep(0.005)
        if time.perf_counter() - begin > 60:
            raise SystemExit(f"{image} does not answer")


def load(port: int, concurrency: int) -> float:
    """Return requests per second."""

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(REQUESTS // concurrency):
            connection.request("GET", "/")
            response = connection.getresponse()
            response.read()
            assert response.status == 200

    threads = [threading.Thread(target=ask) for _ in range(concurrency)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return REQUESTS // concurrency * concurrency / (time.perf_counter() - begin)


def processor(container: str) -> float:
    """Return the processor seconds that a container has used."""
    files = "/sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpuacct/cpuacct.usage"
    command = ["docker", "exec", container, "sh", "-c", f"cat {files} 2>/dev/null || true"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"usage_usec (\d+)", text)
    return int(found[1]) / 1e6 if found else int(re.search(r"^(\d+)$", text, re.MULTILINE)[1]) / 1e9


def measure(starter: str, folder: Path, rounds: int) -> None:
    path = folder / starter
    data = {"starter": starter, "cloud_run": "service", "project_name": starter}
    run_copy(str(ROOT), path, data=data, defaults=True, quiet=True, vcs_ref="HEAD")
    project = Project(path)
    ours, _ = project.build()
    table = tomllib.loads((path / "app/pyproject.toml").read_text())
    requirements = " ".join(f"'{name}'" for name in table["project"]["dependencies"])
    text = SAMPLE.format(
        requirements=requirements, command=COMMANDS[starter], more=STATIC if starter == "django" else ""
    )
    (path / "app/Dockerfile").write_text(text)
    sample = f"bench-sample-{starter}"
    subprocess.run(["docker", "build", "--quiet", "--tag", sample, path / "app"], check=True, capture_output=True)
    concurrency = int(re.search(r"containerConcurrency: (\d+)", (path / "cloudrun/service.yaml").read_text())[1])

    checks = []
    for _ in range(3):
        begin = time.perf_counter()
        project.sh("--cloud-run", ours)
        checks.append(time.perf_counter() - begin)
    cold: dict[str, list[float]] = {ours: [], sample: []}
    rates: dict[str, list[float]] = {ours: [], sample: []}
    work: dict[str, list[float]] = {ours: [], sample: []}
    begun: dict[str, list[float]] = {ours: [], sample: []}
    port = free_port()
    for number in range(rounds):
        for image in [ours, sample] if number % 2 else [sample, ours]:
            container, seconds = start(image, port)
            cold[image].append(seconds)
            begun[image].append(processor(container))
            load(port, concurrency)
            before = processor(container)
            rates[image].append(load(port, concurrency))
            work[image].append((processor(container) - before) / REQUESTS * 1000)
            subprocess.run(["docker", "rm", "--force", container], check=True, capture_output=True)
    (a, b), (c, d), (x, y), (v, w) = (
        [statistics.median(seen[image]) for image in (ours, sample)] for seen in (cold, begun, rates, work)
    )
    print(f"{starter}: check {statistics.median(checks):.1f} s (target 15)")
    print(
        f"  cold start {a:.2f} s, sample {b:.2f} s: {a / b:.2f} (target 0.85); of the processor {c:.2f} s, {d:.2f} s: {c / d:.2f}"
    )
    print(
        f"  {concurrency} at once: {x:.0f} requests/s, sample {y:.0f}: {x / y:.2f} (target 1); of the processor {v:.2f} ms, {w:.2f} ms a request",
        flush=True,
    )
    subprocess.run(["docker", "rmi", "--force", ours, sample], capture_output=True)


def main(rounds: int = 7) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for starter in COMMANDS:
            measure(starter, Path(folder), rounds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
