"""What ships is what the project has, without secrets and what was made on this machine, whatever .dockerignore says."""

import os
import re
from pathlib import Path

import pytest
from project import Project
from repository import make_repository

# No image may hold these, wherever they are
SECRET = """
    .aws/credentials .env .env.local .env.production .env.staging .env.test .envrc .git-credentials .gnupg/key .htpasswd .kube/config .netrc
    .npmrc .pypirc .ssh/id_ed25519 .bash_history .psql_history admin_history client_secret_1.json credentials.json gha-creds-1.json id_rsa
    id_rsa.old key.pem service-account-1.json terraform.tfstate terraform.tfstate.backup
    .git/config .hg/hgrc .idea/workspace.xml .vscode/settings.json .DS_Store .venv/bin/run .pytest_cache/x
""".split()
FOLDERS = ["", "package/deep/", "tests/data/"]
# Nor these at the top of the code; the second line where that is the skeleton's top, too
DATA = "db.sqlite3 db.sqlite3-wal db.sqlite app.db app.db-journal media/upload.png instance/config.py".split()
SKELETON = "data/local.env data/postgres/18/rows build.env compose.override.yaml include/redis.yaml".split()
# All of these ship
NEEDED = """
    .env.defaults .env.example LICENSE compose-mail.yaml demo-credentials-schema.json include/taxes.yaml order_history/lines.txt
    package/data/zones.csv package/media/logo.png package/rates.sqlite3 static/node_modules/x.js
""".split()
# The folder of the code, a .dockerignore of the user's, and the builder
CASES = [(".", None, "1"), (".", "", "1"), ("shop", "!**\n", "1"), (".", "", "0")]


def marker(name: str) -> str:
    """Return what is in the file of this name, and in no other."""
    return f"<drydock {name}>"


def in_layers(project: Project, tag: str) -> set[str]:
    """Return the names of the files whose content is in an image, in whatever layer of it."""
    found = project.run(
        "sh", "-c", f"docker save {tag} | grep --text --only-matching '<drydock [^>]*>' | sort -u"
    ).stdout
    return set(re.findall("<drydock (.*)>", found))


@pytest.mark.parametrize(("project_dir", "ignore", "builder"), CASES, ids=str)
def test_no_image_holds_a_secret_and_none_lacks_what_is_needed(
    start, tmp_path: Path, project_dir: str, ignore: str | None, builder: str
) -> None:
    beside = project_dir == "."
    private = [f"{folder}{name}" for folder in FOLDERS for name in SECRET] + DATA + (SKELETON if beside else [])
    code = tmp_path / "top" / project_dir
    for name in [*private, *NEEDED]:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(f"#{marker(name)}\n")
    # A submodule has a file in the place of the folder
    (code / "package/.git").write_text(f"gitdir: {marker('package/.git')}\n")
    (code / "main.py").write_text("print('here')\n")
    (code / "requirements.txt").write_text("# none\n")
    if ignore is not None:
        (tmp_path / "top/.dockerignore").write_text(ignore)
    answers = {"builder": "any"} if builder == "0" else {}
    project = start(
        tmp_path / "top",
        starter="existing",
        project_dir=project_dir,
        serve_command="python main.py",
        test_command="true",
        services=["redis"],
        **answers,
    )
    # The tests see the placeholders of build.env
    expected = {"service": set(NEEDED), "tests": {*NEEDED, *(["build.env"] if beside else [])}, "localdev": set()}
    for target, files in expected.items():
        tag, _ = project.build("--target", target, env=project.env | {"DOCKER_BUILDKIT": builder})
        assert in_layers(project, tag) == files, target


def test_a_dockerignore_that_lets_hardly_anything_in_is_named(start, tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("*\n!main.py\n")
    (tmp_path / "main.py").write_text("print('here')\n")
    (tmp_path / "requirements.txt").touch()
    project = start(tmp_path, starter="existing", serve_command="python main.py")
    _, result = project.build(check=False)
    assert result.returncode and re.search(r"Let .dockerignore send|See .dockerignore", result.stderr)
    assert "! .dockerignore keeps build.sh and .drydock out of builds" in project.sh("--doctor", check=False).stdout


def test_the_doctor_names_what_only_this_copy_has(start, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    for name, text in {
        ".gitignore": "*.so\n",
        "package/fast.so": "",
        "main.py": "",
        "requirements.txt": "",
        ".dockerignore": "",
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / ".netrc").write_text("secret")
    project = start(tmp_path, starter="existing", serve_command="python main.py")
    project.give_to(os.getuid())
    make_repository(project.path)
    said = project.sh("--doctor", check=False).stdout
    assert (
        "! git ignores files that images built here get, but images of a clean clone lack: add package/fast.so to .dockerignore"
        in said
    )
    assert re.search(
        r"^! \.dockerignore sends .*\.netrc.* to every build, but no image contains them: add them to \.dockerignore$",
        said,
        re.M,
    )


# Tests of a project, in the folders and names of several frameworks
TESTS = {
    "tests/__init__.py": "",
    "tests/data/rows.json": "{}",
    "tests/test_main.py": "def test_main(): pass\n",
    "shop/tests.py": "from django.test import TestCase\n# Create your tests here.\n",
    "shop/api/test/helpers.py": "",
    "shop/api/test/test_api.py": "import unittest\n",
    "shop/speed_test.py": "async def test_speed():\n    pass\n",
    "conftest.py": "",
    "noxfile.py": "",
    "pytest.ini": "",
}
# The application's own, though their names say test
OWN = {
    "lab/tests/__init__.py": "CATALOGUE = ['ferritin', 'glucose']\n",
    "lab/templates/tests/list.html": "",
    "lab/speed_test.py": "def measure(): pass\n",
    "lab/test_runner.py": "from django.test.runner import DiscoverRunner\n",
    "lab/test/results.py": "",
}


def test_tests_stay_behind_and_what_is_only_called_so_ships(start, tmp_path: Path) -> None:
    for name, text in (TESTS | OWN).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "main.py").touch()
    (tmp_path / "requirements.txt").write_text("# none\n")
    project = start(tmp_path, starter="existing", serve_command="python main.py", test_command="true")
    tag, _ = project.build()
    files = project.run(
        "docker", "run", "--rm", tag, "find", ".", "-type", "f", "-not", "-name", "*.pyc"
    ).stdout.split()
    assert {file.removeprefix("./") for file in files} == {*OWN, "main.py", "requirements.txt"}
