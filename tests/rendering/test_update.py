"""`copier update`: later changes arrive, edits stay, services come and go."""

import shutil
from pathlib import Path

import pytest
import yaml
from copier import run_copy, run_update
from repository import ABOUT, ROOT, SERVICES, commit, copy_working_tree, git, make_repository


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def tree(path: Path) -> str:
    return git(path, "rev-parse", "HEAD:")


def test_a_change_of_the_template_arrives_and_an_edit_in_the_same_file_stays(updatable) -> None:
    updatable.copy(services=["postgres"])
    edit(updatable.path / "compose.yaml", "interval: 30s", "interval: 45s")
    edit(updatable.path / ".env", "# POSTGRES_PASSWORD=development", "POSTGRES_PASSWORD=mine")
    env = (updatable.path / ".env").read_text()
    commit(updatable.path)
    edit(
        updatable.template / "template/compose.yaml.jinja",
        "# {{ project_name }} and what",
        "# New: {{ project_name }} and what",
    )
    edit(updatable.template / "template/.env.jinja", "# Settings of this", "# New settings of this")
    commit(updatable.template)

    status = updatable.update()

    assert "UU" not in status
    compose = (updatable.path / "compose.yaml").read_text()
    assert compose.startswith("# New: ") and "interval: 45s" in compose
    assert (updatable.path / ".env").read_text() == env


def test_adding_a_service_brings_its_file_and_its_folder(updatable) -> None:
    updatable.copy(services=["postgres"])
    env = (updatable.path / ".env").read_text()

    status = updatable.update(services=["postgres", "redis"])

    assert "UU" not in status
    assert (updatable.path / "include/redis.yaml").is_file()
    assert (updatable.path / "data/redis/.gitkeep").is_file()
    assert (updatable.path / ".env").read_text() == env
    assert yaml.safe_load((updatable.path / "compose.yaml").read_text())["include"] == [
        "include/redis.yaml",
        "include/postgres.yaml",
    ]


def test_removing_what_was_added_gives_the_same_tree_and_keeps_the_data(updatable) -> None:
    updatable.copy(services=["redis"])
    before = tree(updatable.path)
    updatable.update(services=SERVICES)
    commit(updatable.path)
    kept = [updatable.path / "data" / service / "kept" for service in SERVICES if "data" in ABOUT[service]]
    for file in kept:
        file.write_text("rows")
    updatable.update(services=["redis"])
    commit(updatable.path)
    assert tree(updatable.path) == before
    assert all(file.read_text() == "rows" for file in kept)


def test_a_service_that_the_template_drops_takes_no_other_with_it(updatable) -> None:
    updatable.copy(services=["postgres", "redis"])
    (updatable.template / "include/services/postgres.yaml").unlink()
    commit(updatable.template)
    updatable.update()
    assert [file.name for file in (updatable.path / "include").iterdir()] == ["redis.yaml"]


def test_a_service_that_the_template_renames_stays_chosen(updatable) -> None:
    updatable.copy(services=["postgres", "redis"])
    services = updatable.template / "include/services"
    (services / "redis.yaml").rename(services / "keydb.yaml")
    edit(services / "keydb.yaml", "  redis:\n", "  keydb:\n")
    edit(updatable.template / "include/services_kept.jinja", "renamed = {}", "renamed = {'redis': 'keydb'}")
    commit(updatable.template)
    updatable.update()
    assert sorted(file.name for file in (updatable.path / "include").iterdir()) == ["keydb.yaml", "postgres.yaml"]


def test_a_starters_code_is_the_users_own(updatable) -> None:
    updatable.copy(starter="django")
    code = updatable.path / "app"
    (code / "pyproject.toml").write_text("mine\n")
    (code / ".python-version").unlink()
    commit(updatable.path)
    before = git(updatable.path, "rev-parse", "HEAD:app")
    views = updatable.template / "include/starters/django/config/views.py"
    views.write_text(views.read_text() + "\n# changed\n")
    commit(updatable.template)
    updatable.update(services=["redis"])
    commit(updatable.path)
    assert git(updatable.path, "rev-parse", "HEAD:app") == before


def test_an_updated_project_equals_a_fresh_one(updatable, tmp_path: Path) -> None:
    updatable.copy(starter="existing", project_name="demo", services=[])
    answers = {"services": SERVICES, "base_image": "ubuntu", "python_version": "3.12"}
    updatable.update(**answers)
    fresh = tmp_path / "fresh"
    data = {"starter": "existing", "project_name": "demo", **answers}
    run_copy(str(updatable.template), fresh, data=data, defaults=True, quiet=True, vcs_ref="HEAD")
    for file in (
        file.relative_to(fresh)
        for file in fresh.rglob("*")
        if file.is_file() and file.name not in (".copier-answers.yml", ".env")
    ):
        assert (updatable.path / file).read_text() == (fresh / file).read_text(), file


def test_a_changed_answer_takes_effect_and_env_stays(updatable) -> None:
    updatable.copy(services=["postgres"])
    edit(updatable.path / ".env", "# PORT=8000", "PORT=8123")
    env = (updatable.path / ".env").read_text()
    commit(updatable.path)
    updatable.update(
        python_version="3.12", advanced=True, entry_command="uvicorn main:app --port 8000 # } $X", services=["redis"]
    )
    compose = yaml.safe_load((updatable.path / "compose.yaml").read_text())
    assert compose["x-build"]["args"]["PYTHON_VERSION"] == "${PYTHON_VERSION:-3.12}"
    assert "ARG PYTHON_VERSION=3.12\n" in (updatable.path / "Dockerfile").read_text()
    assert compose["services"]["app"]["command"][3] == "uvicorn main:app --port 8000 # } $$X"
    assert compose["include"] == ["include/redis.yaml"]
    assert (updatable.path / ".env").read_text() == env


def test_another_folder_of_the_code_leaves_the_code_and_says_so(updatable, capsys) -> None:
    updatable.copy()
    before = git(updatable.path, "rev-parse", "HEAD:app")
    answers = {"advanced": True, "project_dir": "src"}
    run_update(updatable.path, data=answers, defaults=True, overwrite=True, vcs_ref="HEAD")
    assert (
        "There is no code in src, the answer project_dir: move the code there, `git mv OLD src`."
        in capsys.readouterr().err
    )
    commit(updatable.path)
    assert git(updatable.path, "rev-parse", "HEAD:app") == before
    git(updatable.path, "mv", "app", "src")
    commit(updatable.path)
    run_update(updatable.path, defaults=True, overwrite=True, vcs_ref="HEAD")
    assert "There is no code" not in capsys.readouterr().err
    assert git(updatable.path, "rev-parse", "HEAD:src") == before


# The last commit in which .env had the defaults, and .drydock/ the user's settings
BEFORE_ENV_WAS_THE_USERS = "c6f8108"


@pytest.mark.parametrize("ignored", ["", ".env*\n.vscode/\n"], ids=["in-git", "ignored"])
def test_a_project_from_before_env_was_the_users_loses_no_value(tmp_path: Path, ignored: str) -> None:
    template, path = tmp_path / "template", tmp_path / "demo"
    git(tmp_path, "clone", "-q", "--no-local", str(ROOT), str(template))
    git(template, "checkout", "-q", "-b", "old", BEFORE_ENV_WAS_THE_USERS)
    run_copy(str(template), path, data={"services": ["postgres"]}, defaults=True, quiet=True, vcs_ref="HEAD")
    (path / ".gitignore").write_text(ignored)
    edit(path / ".env", "\nPORT=8000", "\nPORT=8123")
    edit(path / ".env", "POSTGRES_PASSWORD=development", "POSTGRES_PASSWORD=mine")
    edit(path / ".vscode/launch.json", "Attach", "Mine")
    mine = {
        "data/local.env": "SECRET=1\n",
        ".drydock/import.env": "# mine\nDJANGO_SECRET_KEY=x\n",
        ".drydock/certificates/company.crt": "-----BEGIN CERTIFICATE-----\n",
    }
    for name, text in mine.items():
        (path / name).write_text(text)
    mine |= {name: (path / name).read_text() for name in (".env", ".vscode/launch.json")}
    make_repository(path)
    shutil.rmtree(template)
    template.mkdir()
    git(tmp_path, "clone", "-q", "--no-local", "--bare", str(ROOT), str(template / ".git"))
    git(template, "config", "core.bare", "false")
    copy_working_tree(template)
    commit(template)

    run_update(path, defaults=True, overwrite=True, quiet=True, vcs_ref="HEAD")

    assert "UU" not in git(path, "status", "--porcelain")
    assert {name: (path / name).read_text() for name in mine} == mine
    # They are read where they are
    dockerfile = (path / "Dockerfile").read_text()
    assert " .drydock/certificate[s]/*.crt " in dockerfile and " .drydock/import.en[v] " in dockerfile
    assert not (path / ".drydock/doctor.sh").exists() and (path / ".drydock/host/doctor.sh").exists()
    # Its starter's code is the user's, so its commands stay
    assert (
        "exec uvicorn main:app --host" in dockerfile and "run requirements.txt test requirements-test.txt" in dockerfile
    )
    assert yaml.safe_load((path / ".copier-answers.yml").read_text())["services"] == ["postgres"]


def test_cloud_run_and_ci_come_and_go_and_the_values_stay(updatable) -> None:
    updatable.copy()
    before = tree(updatable.path)
    updatable.update(cloud_run="service", ci="github")
    values = updatable.path / "cloudrun/values.env"
    edit(values, "PROJECT_ID=\n", "PROJECT_ID=mine\n")
    edit(updatable.path / "cloudrun/service.yaml", "512Mi", "1Gi")
    commit(updatable.path)
    edit(
        updatable.template / "template/{% if cloud_run != 'none' %}cloudrun{% endif %}/values.env.jinja",
        "# What",
        "# Now what",
    )
    edit(
        updatable.template / "template/{% if cloud_run != 'none' %}cloudrun{% endif %}/{{ cloud_run }}.yaml.jinja",
        'maxScale: "10"',
        'maxScale: "20"',
    )
    commit(updatable.template)
    status = updatable.update()
    assert "UU" not in status
    assert values.read_text().startswith("# What") and "PROJECT_ID=mine\n" in values.read_text()
    manifest = (updatable.path / "cloudrun/service.yaml").read_text()
    assert "1Gi" in manifest and 'maxScale: "20"' in manifest

    commit(updatable.path)
    updatable.update(cloud_run="none", ci="none")
    commit(updatable.path)
    assert not (updatable.path / ".github").exists() and not (updatable.path / "renovate.json").exists()
    left = [str(file.relative_to(updatable.path)) for file in updatable.path.glob("cloudrun/*")]
    assert left in ([], ["cloudrun/values.env"])
    shutil.rmtree(updatable.path / "cloudrun", ignore_errors=True)
    commit(updatable.path)
    assert git(updatable.path, "diff", "--stat", before.strip(), "HEAD:", "--", ".", ":!.copier-answers.yml") == ""
