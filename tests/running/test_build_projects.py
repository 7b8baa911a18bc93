"""Projects that are installed themselves: extension modules of their own, a version from outside, members with programs."""

from collections.abc import Callable

import pytest
from project import Project

EXTENSION = """\
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(41); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fast", NULL, -1, methods};
PyMODINIT_FUNC PyInit__fast(void) { return PyModule_Create(&module); }
"""
PYPROJECT = """\
[build-system]
requires = ["setuptools>=77", "setuptools-scm>=8"]
build-backend = "setuptools.build_meta"

[project]
name = "quick"
dynamic = ["version"]
dependencies = ["words"]

[tool.setuptools_scm]
version_file = "src/quick/_version.py"

[[tool.setuptools.ext-modules]]
name = "quick._fast"
sources = ["src/quick/_fast.c"]
"""
WORDS = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "words"
version = "0.3"
scripts = { greet = "words:greet" }
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    "src/quick/__init__.py": "from quick._fast import answer\nfrom quick._version import version\n",
    "src/quick/__main__.py": "import quick\n\nprint(quick.version, quick.answer())\n",
    "src/quick/_fast.c": EXTENSION,
    "libs/words/pyproject.toml": WORDS,
    "libs/words/src/words/__init__.py": (
        "from importlib.metadata import version\n\n\ndef greet():\n    print('Hello from words', version('words'))\n"
    ),
}


@pytest.fixture(scope="module")
def project(start_shared: Callable[..., Project], tmp_path_factory: pytest.TempPathFactory) -> Project:
    code = tmp_path_factory.mktemp("installed")
    for name, text in FILES.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(text)
    (code / "requirements.txt").write_text("# none\n")
    project = start_shared(
        code,
        starter="existing",
        dependencies="requirements.txt . ./libs/words",
        python_path="src libs/words/src",
        environment="GREETING=hello",
        serve_command="python -m quick",
        test_command="python -m quick && greet",
    )
    project.write_sections(build="apt_install gcc libc6-dev")
    return project


def test_production_has_what_installing_made(project: Project) -> None:
    tag, _ = project.build("--build-arg", "VERSION=1.2.3")
    said = project.run(
        "docker", "run", "--rm", tag, "sh", "-c", "python -m quick && greet && echo $GREETING && ls src/quick"
    )
    assert said.stdout.startswith("1.2.3 41\nHello from words 0.3\nhello\n")
    assert "_fast.cpython-" in said.stdout and "gcc" not in said.stdout
    label = '{{index .Config.Labels "org.opencontainers.image.version"}}'
    assert project.run("docker", "image", "inspect", "--format", label, tag).stdout == "1.2.3\n"


def test_development_gets_it_and_builds_it_again_by_one_command(project: Project) -> None:
    env = project.as_user()
    said = project.sh("sh", "-c", "python -m quick && greet && echo $GREETING", **env)
    assert said.stdout == "0 41\nHello from words 0.3\nhello\n"
    source = project.path / "src/quick/_fast.c"
    source.write_text(EXTENSION.replace("41", "42"))
    project.compose("up", "--build", "--wait", **env)
    assert project.sh("python", "-m", "quick", **env).stdout == "0 42\n", "a build makes it"
    source.write_text(EXTENSION.replace("41", "43"))
    again = ["env", "SETUPTOOLS_SCM_PRETEND_VERSION=0", "uv", "pip", "install", "--no-deps", "--editable", "."]
    project.sh(*again, **env)
    assert project.sh("python", "-m", "quick", **env).stdout.endswith(" 43\n")
    project.compose("restart", "app", **env)
    said = project.sh("python", "-m", "quick", **env)
    assert said.stdout.endswith(" 43\n"), "a start put an older one in its place"


def test_a_compiler_that_is_missing_is_named(project: Project) -> None:
    project.write_sections()
    _, result = project.build(check=False)
    assert result.returncode
    assert "cannot be installed: see above" in result.stderr and "section build of build.sh" in result.stderr
