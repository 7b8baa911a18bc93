"""How long until a breakpoint stops, what a debugger costs that nobody uses, and what the copy of the packages costs.

    uv run python tests/bench/debugging.py

Beside: the same application under debugpy without a container, started by its own uvicorn.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

from copier import run_copy
from dap import Session
from debugged import attach_arguments, greeting, start_debugging, visit
from project import Project, eventually, free_port
from repository import ROOT

HUNDRED = ["django", "fastapi[standard]", "celery[redis]", "boto3", "sqlalchemy", "pandas", "jupyterlab"]


def project_in(folder: str, name: str, **answers: object) -> Project:
    path = Path(folder) / name
    run_copy(str(ROOT), path, data=answers, defaults=True, quiet=True, vcs_ref="HEAD")
    return Project(path)


def first_stop(project: Project, arguments: dict) -> None:
    """Attach, ask for the page, and go on from the stop."""
    with Session(arguments).attach(greeting(project, "fastapi")) as editor, visit(project):
        editor.request("continue", threadId=editor.stopped())


def requests_per_second(project: Project, seconds: float = 5) -> float:
    """Ask for a page from two threads, in a process of its own in the container."""
    code = f"""
import socket, threading, time
def ask(counts, end):
    while time.monotonic() < end:
        with socket.create_connection(("127.0.0.1", 8000)) as connection:
            connection.sendall(b"GET /health HTTP/1.0\\r\\n\\r\\n")
            while connection.recv(9999):
                pass
        counts.append(1)
counts, end = [], time.monotonic() + {seconds}
threads = [threading.Thread(target=ask, args=(counts, end)) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(counts) / {seconds})
"""
    return float(project.sh("python", "-c", code).stdout)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = project_in(folder, "debugging", starter="fastapi")
        try:
            project.up()
            times = []
            for _ in range(3):
                project.compose("down", "--timeout", "1")
                start = time.perf_counter()
                start_debugging(project)
                first_stop(project, attach_arguments(project))
                times.append(time.perf_counter() - start)
            print(f"from DEBUG=1 docker compose up --wait to the first stop: {median(times):.2f} s", flush=True)

            venv = Path(folder) / "venv"
            packages = ["debugpy==1.8.22", "fastapi", "uvicorn"]
            subprocess.run(["uv", "venv", "--quiet", venv], check=True)
            subprocess.run(["uv", "pip", "install", "--quiet", "--python", venv, *packages], check=True)
            project.compose("down", "--timeout", "1")
            times = []
            for _ in range(3):
                port = free_port()
                words = f"-m debugpy --listen {port} -m uvicorn api.main:app --port {project.ports['PORT']}".split()
                start = time.perf_counter()
                with subprocess.Popen(
                    [venv / "bin/python", *words], cwd=project.path / "app", stderr=subprocess.DEVNULL
                ) as server:
                    eventually(project.get, bool, pause=0.02)
                    first_stop(project, {"connect": {"host": "127.0.0.1", "port": port}, "justMyCode": False})
                    times.append(time.perf_counter() - start)
                    server.kill()
            print(f"the same without a container: {median(times):.2f} s", flush=True)

            rates: dict[str, list[float]] = {"": [], "1": []}
            for _ in range(3):
                for mode in rates:
                    start_debugging(project, mode)
                    requests_per_second(project, 1)
                    rates[mode].append(requests_per_second(project))
            off, on = median(rates[""]), median(rates["1"])
            print(
                f"requests per second: {off:.0f}; under the debugger, without an editor: {on:.0f} ({on / off:.0%})",
                flush=True,
            )
        finally:
            project.remove()

        project = project_in(folder, "copying", starter="existing", test_command="true", serve_imports="")
        (project.path / "requirements.txt").write_text("\n".join(HUNDRED) + "\n")
        try:
            project.up()
            eventually(lambda: (project.path / "data/site-packages/.packages").exists(), bool, seconds=60)
            look = ["docker", "compose", "exec", "-T", "app", "bash", "-c"]
            entry = "time sh /usr/local/bin/entrypoint.sh true"
            count = project.run(*look, "ls -d /opt/venv/site-packages/*.dist-info | wc -l").stdout.strip()
            again = project.run(*look, f"TIMEFORMAT=%R; {entry}").stderr.strip()
            anew = project.run(*look, f"TIMEFORMAT=%R; rm /data/site-packages/.packages; {entry}").stderr.strip()
            without = project.run(
                *look,
                "TIMEFORMAT=%R; sed '/^# For editors/,/true$/d' /usr/local/bin/entrypoint.sh >/tmp/e; time sh /tmp/e true",
            ).stderr.strip()
            print(
                f"the entrypoint with {count} packages: {anew} s to copy them, {again} s when nothing changed, {without} s without a copy"
            )
        finally:
            project.remove()


if __name__ == "__main__":
    main()
