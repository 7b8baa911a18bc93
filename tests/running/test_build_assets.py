"""What build.sh makes of the code: it ships, the tests see it, and an edit of other files does not make it again."""

import pytest
from project import Project

MAKE = """
import os, pathlib, six
pathlib.Path("made.txt").write_text(f"{six.__name__} {os.environ['SETTING']} {os.getuid()}")
data = pathlib.Path.home() / "words/list.txt"
data.parent.mkdir()
data.write_text("yes")
"""
TEST = """
import pathlib, unittest

class Test(unittest.TestCase):
    def test_made(self):
        self.assertEqual(pathlib.Path("made.txt").read_text(), "six there 1000")
        self.assertIn("app = 1", pathlib.Path("static/app.js").read_text())
"""
SECTIONS = """
## assets frontend shared/js:
mkdir -p static frontend/node_modules/x
touch frontend/node_modules/x/y
cat frontend/*.ts shared/js/*.ts >static/app.js
date +%s%N >static/built

## assets: and whatever else
python make.py
"""


@pytest.fixture(scope="module")
def project(start_shared, tmp_path_factory: pytest.TempPathFactory) -> Project:
    code = tmp_path_factory.mktemp("assets")
    files = {"main.py": "print(open('made.txt').read())\n", "make.py": MAKE, "test_main.py": TEST, "frontend/app.ts": "app = 1\n", "shared/js/more.ts": "more = 1\n",
             "requirements.txt": "six\n", "build.env": "SETTING=there\n"}  # fmt: skip
    for name, text in files.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(text)
    project = start_shared(code, starter="existing", serve_command="python main.py", test_command="python -m unittest")
    project.share_no_layers()
    (project.path / "build.sh").write_text((project.path / "build.sh").read_text() + SECTIONS)
    return project


def inside(project: Project, tag: str, command: str) -> str:
    """Return what a shell command says in a container of an image."""
    return project.run("docker", "run", "--rm", tag, "sh", "-c", command).stdout.strip()


def test_what_the_sections_make_ships_and_nothing_else(project: Project) -> None:
    tag, _ = project.build()
    assert inside(project, tag, "python main.py") == "six there 1000"
    assert inside(project, tag, "cat ~/words/list.txt static/app.js") == "yesapp = 1\nmore = 1"
    assert inside(project, tag, "find /app /home -name node_modules") == ""
    # As all that ships, it is not for production to change
    assert inside(project, tag, "stat -c %u made.txt static/built && touch ~/new && ! touch new 2>/dev/null") == "0\n0"


def test_an_edit_elsewhere_does_not_run_a_section_with_folders(project: Project) -> None:
    built = inside(project, project.build()[0], "cat static/built")
    (project.path / "main.py").write_text("print('edited')\n")
    tag, _ = project.build()
    assert inside(project, tag, "cat static/built; python main.py") == f"{built}\nedited"
    (project.path / "shared/js/more.ts").write_text("more = 2\n")
    tag, _ = project.build()
    assert inside(project, tag, "cat static/built") != built
    assert inside(project, tag, "tail -n 1 static/app.js") == "more = 2"


def test_development_makes_them_by_one_command(project: Project) -> None:
    env = project.as_user()
    project.run(str(project.path / "sh"), "env", "SETTING=there", "assets", **env)
    assert (project.path / "made.txt").read_text() == "six there 1000"
    assert (project.path / "static/app.js").exists()


def test_what_fails_says_where(project: Project) -> None:
    script = project.path / "build.sh"
    text = script.read_text()
    script.write_text(text + "echo oh no; false\n")
    _, result = project.build(check=False)
    assert result.returncode and "oh no" in result.stderr
    assert "build.sh, section assets, failed: see above" in result.stderr
    script.write_text(text.replace("shared/js:", "shared/ts:"))
    _, result = project.build(check=False)
    assert result.returncode
    assert "build.sh: the section assets names shared/ts, and the code has no such folder" in result.stderr
    script.write_text(text)
