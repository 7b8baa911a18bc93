"""Hard dependencies: Python packages compiled from source and a C library of one's own, on both bases; and one that is forgotten."""

import re
import subprocess
import uuid
from pathlib import Path

import pytest
from project import Project


def begin(
    start, folder: Path, requirements: str, main: str, *, run: str = "", build: str = "", **answers: str
) -> Project:
    """Start a project with these requirements, this main.py and these sections of build.sh."""
    folder.mkdir()
    (folder / "requirements.txt").write_text(requirements)
    (folder / "main.py").write_text(main)
    project = start(folder, starter="existing", serve_command="python main.py", serve_imports="main", **answers)
    project.write_sections(run=run, build=build)
    return project


def says(project: Project, tag: str) -> str:
    """Return what the production image says; it must not have what was only built with."""
    files = project.run(
        "docker", "run", "--rm", tag, "sh", "-c", "ls /usr/bin /usr/include /usr/lib/x86_64-linux-gnu"
    ).stdout.split()
    assert not {"gcc", "cc", "g++", "make", "curl", "libpq.so", "libxml2.so", "libgdal.so"} & set(files)
    return project.run("docker", "run", "--rm", tag).stdout


LIBRARIES = """\
import ctypes
import ctypes.util

import psycopg
from lxml import etree

xxhash = ctypes.CDLL(ctypes.util.find_library("xxhash"))

if __name__ == "__main__":
    print(psycopg.pq.__impl__, etree.fromstring("<a/>").tag, xxhash.XXH_versionNumber())
"""
XXHASH = "http://deb.debian.org/debian/pool/main/x/xxhash/xxhash_0.8.3.orig.tar.gz"


@pytest.mark.parametrize("base_image", ["slim", "ubuntu"])
def test_packages_and_a_library_from_source(start, tmp_path: Path, base_image: str) -> None:
    project = begin(
        start,
        tmp_path / "code",
        "--no-binary lxml,psycopg-c\nlxml==6.1.3\npsycopg[c]==3.3.8\n",
        LIBRARIES,
        run="apt_install libpq5 libxml2 libxslt1.1",
        build="apt_install ca-certificates curl gcc libc6-dev libpq-dev libxml2-dev libxslt1-dev make zlib1g-dev\n"
        f"mkdir /tmp/xxhash\ncurl --fail --silent --show-error {XXHASH} | tar -xz --strip-components=1 -C /tmp/xxhash\n"
        "make --silent --directory=/tmp/xxhash install PREFIX=/opt/venv",
        base_image=base_image,
    )
    tag, _ = project.build()
    assert says(project, tag) == "c a 803\n"
    assert project.sh("python", "main.py").stdout == "c a 803\n"


@pytest.mark.slow
@pytest.mark.parametrize("base_image", ["slim", "ubuntu"])
def test_gdals_python_matches_the_systems_gdal(start, tmp_path: Path, base_image: str) -> None:
    """Ten thousand lines of C++ and 300 MB of packages: the slowest of all tests."""
    project = begin(
        start,
        tmp_path / "code",
        "GDAL==3.10.3\n",
        "from osgeo import gdal\n\nif __name__ == '__main__':\n    print(gdal.__version__)\n",
        run="apt_install libgdal36",
        build="apt_install g++ libgdal-dev",
        base_image=base_image,
    )
    tag, _ = project.build()
    assert says(project, tag) == "3.10.3\n"


def test_a_forgotten_library_ends_the_build(start, tmp_path: Path) -> None:
    """psycopg would do without its C part, and fail at the first connection at the latest: the build must see it."""
    project = begin(start, tmp_path / "code", "psycopg[c]==3.3.8\n", "", build="apt_install gcc libc6-dev libpq-dev")
    _, result = project.build(check=False)
    assert result.returncode != 0
    line = r"libpq\.so\.5 is missing, and /opt/venv/\S+/psycopg_c/\S+ needs it\. Add it to the run section of build\.sh: apt_install libpq5$"
    assert re.search(line, result.stderr, re.MULTILINE), result.stderr[-3000:]


PROGRAM = """apt_install gcc libc6-dev libyaml-dev
mkdir -p /opt/venv/bin
echo 'char *yaml_get_version_string(void); int main(void) { return !yaml_get_version_string(); }' | gcc -x c - -lyaml -o /opt/venv/bin/report
"""


def test_a_library_that_a_program_needs_ends_the_build(start, tmp_path: Path) -> None:
    project = begin(start, tmp_path / "code", "# none\n", "", build=PROGRAM)
    _, result = project.build(check=False)
    line = "libyaml-0.so.2 is missing, and /opt/venv/bin/report needs it. Add it to the run section of build.sh: apt_install libyaml-0-2"
    assert result.returncode and line in result.stderr, result.stderr[-3000:]
    project.write_sections(run="apt_install libyaml-0-2", build=PROGRAM)
    tag, _ = project.build()
    project.run("docker", "run", "--rm", tag, "report")


def test_a_library_that_was_nowhere_is_named_when_it_is_imported(start, tmp_path: Path) -> None:
    """opencv-python's wheel wants libGL of the system, which no section installs."""
    # Its wheels are for up to 3.13
    project = begin(start, tmp_path / "code", "opencv-python==4.12.0.88\n", "import cv2\n", python_version="3.13")
    _, result = project.build(check=False)
    assert result.returncode != 0
    assert "main.py: production cannot import main: ImportError: libGL.so.1" in result.stderr, result.stderr
    assert "cv2.abi3.so needs libGL.so.1" in result.stderr
    assert "Add the package that has libGL.so.1 to the run section of build.sh" in result.stderr


SETUP = """\
import os, uuid
from setuptools import setup

with open("stamped.py", "w") as file:
    file.write(f"STAMP = '{uuid.uuid4()}'\\nFEATURE = {os.path.exists('/usr/include/feature.h')}\\n")
setup(name="stamped", version="1", py_modules=["stamped"])
"""


def test_what_is_compiled_is_compiled_again_only_where_it_must_be(start, tmp_path: Path) -> None:
    """A package that tells when it was built, and with what: nothing else would do for another system, nor for another section build."""
    source = tmp_path / "stamped-1"
    source.mkdir()
    (source / "setup.py").write_text(SETUP)
    # Its own in each run, so that no cache knows it
    archive = f"{uuid.uuid4().hex}/stamped-1.tar.gz"
    (tmp_path / archive).parent.mkdir()
    subprocess.run(["tar", "-czf", tmp_path / archive, "-C", tmp_path, "stamped-1"], check=True)
    requirements = f"stamped @ http://files.test:8000/{archive}\n"
    project = begin(
        start,
        tmp_path / "code",
        requirements,
        "import stamped\n\nprint(stamped.STAMP, stamped.FEATURE)\n",
        run="true",
        build="true",
    )
    serve = ["python:3.14-slim", "python", "-m", "http.server", "--directory", "/srv"]
    with project.container("--volume", f"{tmp_path}:/srv:ro", *serve) as name:
        host = f"--add-host=files.test:{project.address(name, 8000)}"

        def built(*arguments: str) -> tuple[str, str]:
            tag, _ = project.build(host, *arguments)
            stamp, feature = project.run("docker", "run", "--rm", tag, "python", "main.py").stdout.split()
            return stamp, feature

        first = built()
        assert first[1] == "False"
        (project.path / "requirements.txt").write_text(requirements + "six\n")
        assert built() == first, "another requirement"
        project.write_sections(run="touch /edited", build="true")
        assert built() == first, "section run"
        project.write_sections(run="touch /edited", build="touch /usr/include/feature.h")
        second = built()
        assert second[1] == "True", "section build"
        other = built("--build-arg", "IMAGE=python:3.13-slim-trixie", "--build-arg", "PYTHON_VERSION=3.13")
        assert other[0] not in (first[0], second[0]), "another image"
        assert built() == second


def test_something_installed_without_root(start, tmp_path: Path) -> None:
    project = begin(start, tmp_path / "code", "# none\n", "", run='runuser -u app -- sh -c "id -un >$HOME/made-by"')
    tag, _ = project.build()
    seen = project.run("docker", "run", "--rm", tag, "sh", "-c", "cat ~/made-by; stat -c %U ~/made-by")
    assert seen.stdout.split() == ["app", "app"]
