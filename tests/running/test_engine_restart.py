"""Data outlive a restart of the engine, which ends every container of this machine: only by `uv run pytest -m slow --numprocesses=0`."""

import os
import subprocess

import pytest
from repository import ABOUT, ROOT, RUN

ENGINE = ROOT / "tests/engine/engine"


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="only root can restart the engine")
def test_data_outlive_the_engine(start) -> None:
    kept = [service for service in RUN if "data" in ABOUT[service]]
    project = start(services=kept)
    project.up()
    for service in kept:
        project.sh("python", "-c", ABOUT[service]["write"])
    subprocess.run([ENGINE, "down"], check=True)
    subprocess.run([ENGINE, "up"], check=True)
    # None starts by itself, if it ends with status 0 when the engine stops it: nats does since 2.11, which Debian has not
    assert set(project.compose("ps", "--services", "--status", "running").stdout.split()) <= {"nats"}
    project.compose("up", "--wait")
    for service in kept:
        assert "kept" in project.sh("python", "-c", ABOUT[service]["read"]).stdout, service
