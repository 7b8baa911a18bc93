"""The answer's Python runs on slim and on each Ubuntu, and never the system's own.

3.14 is what all other tests run on. 3.12 is not here, since stand-ins of it take more than Debian's packages (see tests/engine).
"""

import pytest

IMAGES = [
    *({"python_version": version} for version in ("3.11", "3.13")),
    {"python_version": "3.11", "base_image": "ubuntu", "ubuntu_version": "22.04"},
    {"python_version": "3.13", "base_image": "ubuntu", "ubuntu_version": "24.04"},
    {"python_version": "3.14", "base_image": "ubuntu", "ubuntu_version": "26.04"},
]


@pytest.mark.parametrize("answers", IMAGES, ids=lambda answers: "-".join(answers.values()))
def test_the_answers_python_runs(start, answers: dict) -> None:
    project = start(starter="worker", **answers)
    tag, _ = project.build()
    show = "import sys; print(sys.executable, *sys.version_info[:2], sys.base_prefix)"
    executable, major, minor, base = project.run("docker", "run", "--rm", tag, "python", "-c", show).stdout.split()
    assert executable == "/opt/venv/bin/python"
    assert f"{major}.{minor}" == answers["python_version"]
    assert base.startswith("/opt/python/" if "base_image" in answers else "/usr/local")


def test_a_python_that_the_image_lacks_is_named(start) -> None:
    project = start(starter="worker")
    project.set_env(PYTHON_VERSION="3.12")
    result = project.compose("build", check=False)
    assert result.returncode != 0
    assert "No interpreter found for Python 3.12" in result.stdout + result.stderr
