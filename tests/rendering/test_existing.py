"""Existing code: the skeleton is added, and no file of the user's is touched."""

from pathlib import Path

import pytest
import yaml
from copier import run_copy, run_recopy
from repository import commit, git

THEIRS = {
    "README.md": "# Theirs\n",
    "pyproject.toml": "[project]\nname = 'theirs'\n",
    "requirements.txt": "flask\n",
    ".gitignore": "data/\n",
    "main.py": "print('theirs')\n",
    "tests/test_main.py": "def test_it(): pass\n",
    "sub/app/main.py": "print('deeper')\n",
    # In the way of the skeleton's own
    "Dockerfile": "FROM scratch\n",
    ".env": "SECRET=do not lose me\n",
    ".vscode/launch.json": "{}\n",
    "compose.yaml": "services: {}\n",
    "data/important.csv": "1,2\n",
}


def lay(path: Path) -> None:
    for name, text in THEIRS.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)


def copy(template: Path, path: Path, **answers: object) -> None:
    run_copy(str(template), path, data={"starter": "existing"} | answers, defaults=True, quiet=True)


def test_no_file_of_the_users_is_touched(template: Path, tmp_path: Path) -> None:
    lay(tmp_path)
    copy(template, tmp_path)
    for name, text in THEIRS.items():
        assert (tmp_path / name).read_text() == text, name


def test_no_application_is_emitted(template: Path, tmp_path: Path) -> None:
    copy(template, tmp_path)
    assert {file.parent.name for kind in ("*.py", "requirements*") for file in tmp_path.rglob(kind)} == {
        ".drydock",
        "build",
        "host",
    }
    assert not (tmp_path / "README.md").exists()
    assert (tmp_path / "README.docker.md").exists()


def test_a_file_moved_aside_arrives_with_a_recopy(template: Path, tmp_path: Path) -> None:
    lay(tmp_path)
    copy(template, tmp_path)
    (tmp_path / "compose.yaml").rename(tmp_path / "compose.old.yaml")
    # As one who answers "no" to the questions about these
    run_recopy(tmp_path, defaults=True, quiet=True, overwrite=True, skip_if_exists=[".env", ".vscode/launch.json"])
    assert "target: localdev" in (tmp_path / "compose.yaml").read_text()
    assert (tmp_path / ".env").read_text() == THEIRS[".env"]


def test_an_update_keeps_the_users_files(updatable) -> None:
    updatable.path.mkdir()
    lay(updatable.path)
    updatable.copy(starter="existing")
    path = updatable.template / "template/README{% if not starter_files %}.docker{% endif %}.md.jinja"
    path.write_text(path.read_text() + "\nA new line.\n")
    commit(updatable.template)
    updatable.update()
    for name, text in THEIRS.items():
        assert (updatable.path / name).read_text() == text, name
    assert (updatable.path / "README.docker.md").read_text().endswith("\nA new line.\n")


@pytest.mark.parametrize("starter", ["existing", "fastapi"])
def test_beside_a_dockerfile_of_the_users_the_skeletons_has_another_name(updatable, render, starter: str) -> None:
    path = updatable.path
    path.mkdir()
    (path / "Dockerfile").write_text("FROM scratch\n")
    (path / ".dockerignore").write_text("*\n")
    updatable.copy(starter=starter)

    def looks_as_it_should(more: str = "") -> None:
        assert (path / ".dockerignore").read_text() == "*\n"
        plain = render(starter=starter)
        assert (path / "Dockerfile.drydock").read_text() == (plain / "Dockerfile").read_text() + more
        # BuildKit reads it in the place of .dockerignore
        ignored, plainly = (
            (folder / name).read_text().splitlines()
            for folder, name in ((path, "Dockerfile.drydock.dockerignore"), (plain, ".dockerignore"))
        )
        assert {*plainly} - {"/.dockerignore", "/Dockerfile"} == {*ignored} - {
            "/Dockerfile.drydock",
            "/Dockerfile.drydock.dockerignore",
        }
        compose = yaml.safe_load((path / "compose.yaml").read_text())
        assert {service["build"]["dockerfile"] for service in compose["services"].values()} == {"Dockerfile.drydock"}
        assert "Dockerfile.drydock" in [rule["path"] for rule in compose["services"]["app"]["develop"]["watch"]]

    looks_as_it_should()
    file = updatable.template / "template/{{ dockerfile }}.jinja"
    for more in ("# one\n", "# one\n# two\n"):
        file.write_text(file.read_text() + more.splitlines(keepends=True)[-1])
        commit(updatable.template)
        updatable.update()
        looks_as_it_should(more)
        assert not (path / "Dockerfile").exists() or (path / "Dockerfile").read_text() == "FROM scratch\n"
        # It keeps its name where the user's own goes
        (path / "Dockerfile").unlink(missing_ok=True)
        commit(path)
    assert not list(path.rglob("*.rej")) and "<<<<<<<" not in (path / "compose.yaml").read_text()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Dockerfile", "Your Dockerfile stays as it is: the skeleton's is Dockerfile.drydock."),
        ("compose.yaml", "Your compose.yaml is in the place of the skeleton's: rename it, then `copier recopy`."),
        ("compose.yml", "start yours with `docker compose -f compose.yml up`"),
        ("docker-compose.yml", "start yours with `docker compose -f docker-compose.yml up`"),
        (
            "docker-compose.override.yml",
            "Compose merges your docker-compose.override.yml into the skeleton's compose.yaml: rename it",
        ),
        (
            "compose.override.yaml",
            "Compose merges your compose.override.yaml into the skeleton's compose.yaml: rename it",
        ),
        ("main.py", ""),
    ],
)
def test_files_that_docker_would_read_are_named_after_the_copy(
    template: Path, tmp_path: Path, capfd, name: str, words: str
) -> None:
    (tmp_path / name).write_text("{}\n")
    run_copy(str(template), tmp_path, data={"starter": "existing"}, defaults=True)
    said = capfd.readouterr().err.split(" is rendered.")[1]
    assert words in said
    assert ("your" in said.lower()) == bool(words)


def test_a_folder_with_glob_characters_is_no_other_case(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "a [b] *c"
    path.mkdir()
    lay(path)
    copy(template, path, project_name="demo")
    git(path, "init", "-q")
    assert (path / ".env").read_text() == THEIRS[".env"]
