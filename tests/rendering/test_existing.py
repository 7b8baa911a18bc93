"""Existing code: the skeleton is added, and no file of the user's is touched."""

from pathlib import Path

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
    assert {file.parent.name for kind in ("*.py", "requirements*") for file in tmp_path.rglob(kind)} == {".drydock"}
    assert not (tmp_path / "README.md").exists()
    assert (tmp_path / "README.docker.md").exists()


def test_a_file_moved_aside_arrives_with_a_recopy(template: Path, tmp_path: Path) -> None:
    lay(tmp_path)
    copy(template, tmp_path)
    (tmp_path / "Dockerfile").rename(tmp_path / "Dockerfile.old")
    # As one who answers "no" to the other questions
    run_recopy(tmp_path, defaults=True, quiet=True, skip_if_exists=[".env", ".vscode/launch.json"])
    assert "AS localdev" in (tmp_path / "Dockerfile").read_text()
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


def test_a_folder_with_glob_characters_is_no_other_case(template: Path, tmp_path: Path) -> None:
    path = tmp_path / "a [b] *c"
    path.mkdir()
    lay(path)
    copy(template, path, project_name="demo")
    git(path, "init", "-q")
    assert (path / ".env").read_text() == THEIRS[".env"]
