"""Packages from PyPI, got on the host as the owner of a project would."""

import os
import shutil
import subprocess
import tarfile
import zipfile
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


def wheel(folder: Path, name: str, version: str, text: str) -> Path:
    """Make a wheel of one module in `folder`, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", text)
        about = f"{name}-{version}.dist-info"
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return file
