"""Packages from PyPI, got on the host as the owner of a project would."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

UV = os.environ.get("UV") or shutil.which("uv") or "uv"


def uv(folder: Path, *command: str) -> None:
    """Run uv in `folder`."""
    subprocess.run([UV, *command], cwd=folder, check=True, capture_output=True, timeout=300)


def run(folder: Path, requirement: str, *command: str) -> None:
    """Run a command of a package in `folder`."""
    uv(folder, "run", "--quiet", "--no-project", "--with", requirement, *command)


def release(requirement: str, folder: Path) -> Path:
    """Return the source of a release (NAME==VERSION), unpacked in a folder of `folder`."""
    run(folder, "pip", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", requirement)
    (file,) = folder.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        archive.extractall(folder / "release", filter="data")
    (code,) = (folder / "release").iterdir()
    return code
