"""Ends the build where production lacks a shared library that its environment needs.

The stage that builds packages has them all; /tmp/libraries has their names, as ldconfig and dpkg print them. A library
that is missing there, too, is optional, as graphics drivers are.
"""

import re
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = Path("/opt/venv")


def known() -> dict[str, str]:
    """Return the libraries that packages were built with, by file name, each with its Debian package or ''."""
    text = Path("/tmp/libraries").read_text()
    libraries = dict.fromkeys(re.findall(r"^\s+(\S+) \(", text, re.MULTILINE), "")
    listed = re.findall(
        r"^/var/lib/dpkg/info/([^:\n]+)(?::\w+)?\.list:.*/([^/\n]+)$",
        text,
        re.MULTILINE,
    )
    return libraries | {library: package for package, library in listed}


def is_program(file: Path) -> bool:
    """Tell whether this is machine code, such as uwsgi, and none of another folder, such as Python itself."""
    if file.is_symlink() or not file.is_file():
        return False
    with file.open("rb") as program:
        return program.read(4) == b"\x7fELF"


def missing() -> list[tuple[str, Path]]:
    """Return each library that a file of the environment needs and the loader cannot find, with that file."""
    files = [str(file) for file in ENVIRONMENT.rglob("*.so*")]
    files += [str(file) for file in (ENVIRONMENT / "bin").iterdir() if is_program(file)]
    # With only one file, ldd does not print its name
    said = subprocess.run(
        ["ldd", *files, "/dev/null"], capture_output=True, text=True
    ).stdout
    found = []
    for text in re.split(r"^(?=\S+:$)", said, flags=re.MULTILINE):
        file = Path(text.partition(":\n")[0])
        found += [
            (library, file)
            for library in re.findall(r"^\s*(\S+) => not found", text, re.MULTILINE)
        ]
    return found


def advice(library: str, file: Path, package: str) -> str:
    """Return what to do about a library that `file` needs."""
    hint = (
        f"apt_install {package}"
        if package
        else "apt_install its package, or compile it with --prefix=/opt/venv, which every image has"
    )
    return f"{library} is missing, and {file} needs it. Add it to the run section of build.sh: {hint}"


if __name__ == "__main__":
    libraries = known()
    wrong = [
        advice(library, file, libraries[library])
        for library, file in missing()
        if library in libraries
    ]
    sys.exit("\n".join(wrong) if wrong else 0)
