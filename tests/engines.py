"""Another Docker engine beside the machine's own: empty, and with the containerd image store, which the CI of forges has by a builder of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from project import eventually

DEBIAN = Path("/opt/docker-engine/trixie/usr")
PATH = f"{DEBIAN}/sbin:{DEBIAN}/bin:{os.environ['PATH']}"


def can_start() -> bool:
    return os.getuid() == 0 and all(shutil.which(name, path=PATH) for name in ("dockerd", "containerd", "runc", "ip"))


@contextmanager
def empty_engine(folder: Path, number: int, images: list[str]) -> Iterator[str]:
    """Start an engine that has only these images, taken from the machine's own; yield its DOCKER_HOST.

    Its containers have a network without a way out, and it leaves the machine's firewall alone: builds need `network: host`.
    """
    host = f"unix://{folder}/socket"
    bridge = f"engine{os.getpid() % 10**6}-{number}"
    address = f"10.213.{number}.1/24"
    settings = {"features": {"containerd-snapshotter": True}, "builder": {"gc": {"enabled": False}}, "hosts": [host]}
    settings |= {"bridge": bridge, "iptables": False, "ip6tables": False, "ip-forward": False}
    settings |= {"data-root": f"{folder}/data", "exec-root": f"{folder}/run", "pidfile": f"{folder}/pid"}
    folder.mkdir(parents=True)
    (folder / "daemon.json").write_text(json.dumps(settings))
    for words in (["add", bridge, "type", "bridge"], ["set", bridge, "up"]):
        subprocess.run(["ip", "link", *words], check=True)
    try:
        subprocess.run(["ip", "address", "add", address, "dev", bridge], check=True)
        with (folder / "log").open("w") as log:
            command = ["dockerd", "--config-file", f"{folder}/daemon.json"]
            engine = subprocess.Popen(command, env=os.environ | {"PATH": PATH}, stdout=log, stderr=log)
        try:
            eventually(
                lambda: subprocess.run(["docker", "--host", host, "info"], capture_output=True).returncode,
                lambda status: status == 0,
            )
            with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as save:
                subprocess.run(["docker", "--host", host, "load", "--quiet"], stdin=save.stdout, check=True)
            yield host
        finally:
            engine.terminate()
            engine.wait(60)
    finally:
        subprocess.run(["ip", "link", "delete", bridge], check=False)
        shutil.rmtree(folder, ignore_errors=True)
