"""Existing code whose .gitignore names what is emitted: an update loses nothing of the user's, and nothing of the template's silently."""

import re
import shutil
import subprocess
from contextlib import chdir
from pathlib import Path

import pytest
from copier import run_copy, run_recopy, run_update
from repository import SERVICES, commit, git

# In the manner of well-known projects
LISTS = {
    "python": "__pycache__/\n*.py[codz]\nbuild/\ndist/\nlib/\nvar/\n*.egg-info/\n*.log\n.env\n.envrc\n.venv\nenv/\nvenv/\n.idea/\n.vscode/\n",
    "virtualenv": ".Python\n[Bb]in\n[Ii]nclude\n[Ll]ib\n[Ll]ocal\n[Ss]cripts\npyvenv.cfg\ndata\n*.csv\n",
    "dotfiles": ".*\n!.gitignore\n",
    "docker": ".env*\nDockerfile*\n*compose*.y*ml\n.docker*\n*.sh\n.vscode/*\n!.vscode/settings.json\n",
    "whitelist": "/*\n!/src\n!.gitignore\n",
}
PERSONAL = (".env", ".vscode/", "data/")
# By `change`, or by any update
UNCHANGED = (*PERSONAL, ".drydock/files")
ANSWERS = {
    "starter": "existing",
    "services": ["postgres", "redis"],
    "project_name": "demo",
    "entry_command": "python src/main.py",
}

every_list = pytest.mark.parametrize("name", LISTS)


def lay(path: Path, name: str) -> None:
    (path / "src").mkdir(parents=True)
    (path / "src/main.py").write_text("print('here')\n")
    (path / "requirements.txt").write_text("flask\n")
    (path / ".gitignore").write_text(LISTS[name])
    git(path, "init", "-q", "-b", "main")
    commit(path)


def copy(template: Path, path: Path, capsys: pytest.CaptureFixture) -> str:
    """Render into the project, and return what Copier said at the end."""
    run_copy(str(template), path, data=ANSWERS, defaults=True, vcs_ref="HEAD")
    return capsys.readouterr().err


def update(path: Path, capsys: pytest.CaptureFixture) -> str:
    """Update the project from within it, and return what Copier said at the end."""
    with chdir(path):
        run_update(".", defaults=True, overwrite=True, unsafe=False, vcs_ref="HEAD")
    return capsys.readouterr().err


def emitted(path: Path) -> list[str]:
    """Return the paths of all that is emitted, but the answers."""
    files = (str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
    return sorted(file for file in files if file != ".copier-answers.yml")


def change(template: Path) -> None:
    """Add a line to all that the template emits and a comment may be in, and commit."""
    for file in [*(template / "template").rglob("*"), *template.glob("include/services/*")]:
        if (
            file.is_file()
            and file.name != "files.jinja"
            and ".json" not in file.name
            and "answers_file" not in file.name
        ):
            lines = file.read_text().split("\n")
            # Below what must come first, in files of every kind
            at = next((n for n, line in enumerate(lines) if line and not line.startswith(("#!", "{%", "x-", "{#"))), 0)
            if file.parent.name == "services":
                at = lines.index("services:")
            lines.insert(at, "# New in the template")
            file.write_text("\n".join(lines))
    commit(template)


def edit(path: Path, names: list[str]) -> None:
    """Add a last line to each of these files, as the user would."""
    for name in names:
        with (path / name).open("a") as file:
            file.write("# mine\n")


def text(path: Path) -> dict[str, str]:
    return {
        str(file.relative_to(path)): file.read_text()
        for file in path.rglob("*")
        if file.is_file() and ".git" not in file.relative_to(path).parts
    }


def look(path: Path) -> list[str]:
    """Do what ./sh, ./activate and the doctor do first; return what git ignores of the skeleton."""
    script = f'set -eu; root=$1; . "{path}/.drydock/host/project.sh"; find_untracked; printf "%s\\n" "$untracked"'
    return subprocess.run(["sh", "-c", script, "sh", path], check=True, capture_output=True, text=True).stdout.split()


@every_list
def test_with_all_of_it_in_git_an_update_is_as_ever(
    template_repository: Path, render, tmp_path: Path, capsys, name: str
) -> None:
    path = tmp_path / "demo"
    lay(path, name)
    said = copy(template_repository, path, capsys)
    (command,) = re.findall(r"^ +(git add --force .*)$", said, re.M)
    subprocess.run(command.split(), cwd=path, check=True)
    commit(path)
    names = emitted(render(**ANSWERS))
    ignored = git(path, "ls-files", "--others", "--ignored", "--exclude-standard", "--", *names).split()
    assert all(file.startswith((".env", ".vscode/")) for file in ignored), "what the command leaves out"
    edit(path, names)
    commit(path)
    before = text(path)
    for changed in (False, True):
        if changed:
            change(template_repository)
        update(path, capsys)
        after = text(path)
        assert before.keys() == after.keys()
        assert not git(path, "diff", "--name-only", "--diff-filter=U")
        for file in names:
            assert "# mine\n" in after[file], file
            assert file.startswith(UNCHANGED) or ("# New in the template\n" in after[file]) == changed, file
        commit(path)


@every_list
def test_without_it_in_git_an_update_says_so_and_does_nothing(
    template_repository: Path, render, tmp_path: Path, capsys, name: str
) -> None:
    path = tmp_path / "demo"
    lay(path, name)
    copy(template_repository, path, capsys)
    commit(path)
    names = emitted(render(**ANSWERS))
    if name == "docker":
        # Where the user has deleted a file, Copier asks too early what to leave alone: what git has is updated, the rest stays
        names.remove("README.docker.md")
        (path / "README.docker.md").unlink()
    edit(path, names)
    commit(path)
    untracked = look(path)
    assert bool(untracked) == (name != "python")
    before = text(path)
    for changed in (False, True):
        if changed:
            change(template_repository)
        said = update(path, capsys)
        after = text(path)
        assert ("Not updated: git ignores" in said) == bool(untracked)
        assert all("# mine\n" in after[file] for file in names)
        assert not untracked or name == "docker" or after == before and not git(path, "status", "--porcelain")
        commit(path)
    # Once git has it, the update comes, and the edits stay
    if untracked:
        git(path, "add", "--force", *untracked)
        commit(path)
        assert not look(path)
        said = update(path, capsys)
        after = text(path)
        assert all("# mine\n" in after[file] for file in names)
        assert all("# New in the template\n" in after[file] for file in names if not file.startswith(UNCHANGED))


@every_list
@pytest.mark.parametrize("partly", [False, True], ids=["unchanged", "partly"])
def test_what_nobody_looked_at_is_kept_or_named(
    template_repository: Path, render, tmp_path: Path, capsys, name: str, partly: bool
) -> None:
    """Without a look by ./sh, an update deletes what git ignores. What is personal stays, and Copier names the rest."""
    path = tmp_path / "demo"
    lay(path, name)
    copy(template_repository, path, capsys)
    commit(path)
    names = emitted(render(**ANSWERS))
    edit(path, [name for name in names if name.startswith(PERSONAL)])
    commit(path)
    if partly:
        # What the template changes is reset, the rest is deleted
        awk = template_repository / "template/.drydock/host/services.awk"
        awk.write_text(awk.read_text() + "# New\n")
        commit(template_repository)
    before = text(path)

    said = update(path, capsys)

    after = text(path)
    assert all(after[file] == before[file] for file in names if file.startswith(PERSONAL))
    gone = before.keys() - after.keys() - {".copier-answers.yml"}
    missing = " ".join(re.findall(r"^Missing: (.*)$", said, re.M)).split()
    assert set(missing) == (
        {re.sub(r"^\.drydock/.*", ".drydock", file) for file in gone} if ".drydock" in missing else gone
    )


@every_list
def test_what_was_there_before_the_first_copy_stays_the_users(
    template_repository: Path, render, tmp_path: Path, capsys, name: str
) -> None:
    """Each path that is emitted, with a file of the user's in the way."""
    path = tmp_path / "demo"
    lay(path, name)
    names = [name for name in emitted(render(**ANSWERS)) if not name.startswith(".drydock/")]
    theirs = {file: f"# Their own {file}\n" for file in names}
    for file, words in theirs.items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(words)
    commit(path)
    said = copy(template_repository, path, capsys)
    (command,) = re.findall(r"^ +(git add --force .*)$", said, re.M)
    # Beside their Dockerfile the skeleton has its own
    assert command == "git add --force .copier-answers.yml Dockerfile.drydock.dockerignore .drydock Dockerfile.drydock"
    subprocess.run(command.split(), cwd=path, check=True)
    commit(path)
    for changed in (False, True):
        if changed:
            change(template_repository)
        said = update(path, capsys)
        assert "Not updated: git ignores" not in said
        assert {file: (path / file).read_text() for file in names} == theirs
        commit(path)


def test_a_file_that_is_handed_over_is_updated_from_then_on(updatable, template: Path) -> None:
    path = updatable.path
    path.mkdir()
    (path / "compose.yaml").write_text("services: {}\n")
    updatable.copy(starter="existing")
    assert "- compose.yaml" in (path / ".copier-answers.yml").read_text()
    run_recopy(path, defaults=True, quiet=True, overwrite=True, vcs_ref="HEAD")
    assert (path / "compose.yaml").read_text() == "services: {}\n"
    (path / "compose.yaml").unlink()
    run_recopy(path, defaults=True, quiet=True, overwrite=True, vcs_ref="HEAD")
    assert "kept_files" not in (path / ".copier-answers.yml").read_text()
    commit(path)
    change(updatable.template)
    updatable.update()
    assert "# New in the template" in (path / "compose.yaml").read_text()


def test_the_skeletons_paths_are_all_that_is_emitted(render) -> None:
    for answers in ({"starter": "existing"}, {"starter": "django"}):
        path = render(services=SERVICES, **answers)
        listed = (path / ".drydock/files").read_text().split()
        files = {str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()}
        own = {file for file in files if not file.startswith((".env", ".vscode/", "app/", "build.env"))}
        assert {re.sub(r"^\.drydock/.*", ".drydock", file) for file in own} == set(listed)


def test_what_is_in_git_of_the_skeleton_is_not_ignored_by_the_usual_list(
    template: Path, tmp_path: Path, capsys
) -> None:
    """GitHub's list names build/, which is a folder of .drydock too."""
    path = tmp_path / "demo"
    lay(path, "python")
    copy(template, path, capsys)
    commit(path)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(path), str(clone))
    assert set(text(path)) - set(text(clone)) == {
        ".env",
        ".vscode/launch.json",
        ".vscode/settings.json",
        ".vscode/tasks.json",
    }
    shutil.rmtree(clone)
