"""`copier update`: later changes arrive, edits stay, services come and go."""

from pathlib import Path

import yaml

from repository import ABOUT, SERVICES, commit, git


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def tree(path: Path) -> str:
    return git(path, "rev-parse", "HEAD:")


def test_a_change_of_the_template_arrives_and_an_edit_in_the_same_file_stays(updatable) -> None:
    updatable.copy(services=["postgres"])
    edit(updatable.path / "compose.yaml", "interval: 30s", "interval: 45s")
    edit(updatable.path / ".env", "POSTGRES_PASSWORD=development", "POSTGRES_PASSWORD=mine")
    commit(updatable.path)
    edit(updatable.template / "template/compose.yaml.jinja", "# {{ project_name }} and what", "# New: {{ project_name }} and what")
    edit(updatable.template / "template/.env.jinja", "# Settings of this", "# New settings of this")
    commit(updatable.template)

    status = updatable.update()

    assert "UU" not in status
    compose = (updatable.path / "compose.yaml").read_text()
    assert compose.startswith("# New: ") and "interval: 45s" in compose
    env = (updatable.path / ".env").read_text()
    assert env.startswith("# New settings") and "POSTGRES_PASSWORD=mine" in env


def test_adding_a_service_brings_its_file_its_keys_and_its_folder(updatable) -> None:
    updatable.copy(services=["postgres"])
    edit(updatable.path / ".env", "POSTGRES_PORT=5432", "POSTGRES_PORT=5433")
    commit(updatable.path)

    status = updatable.update(services=["postgres", "redis"])

    assert "UU" not in status
    assert (updatable.path / "include/redis.yaml").is_file()
    assert (updatable.path / "data/redis/.gitkeep").is_file()
    env = (updatable.path / ".env").read_text()
    assert "REDIS_PORT=6379" in env and "POSTGRES_PORT=5433" in env
    assert yaml.safe_load((updatable.path / "compose.yaml").read_text())["include"] == ["include/redis.yaml", "include/postgres.yaml"]


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
    (code / "requirements.txt").write_text("mine\n")
    (code / "requirements-test.txt").unlink()
    commit(updatable.path)
    before = git(updatable.path, "rev-parse", "HEAD:app")
    views = updatable.template / "include/starters/django/config/views.py"
    views.write_text(views.read_text() + "\n# changed\n")
    commit(updatable.template)
    updatable.update(services=["redis"])
    commit(updatable.path)
    assert git(updatable.path, "rev-parse", "HEAD:app") == before


def test_an_updated_project_equals_a_fresh_one(updatable, render) -> None:
    updatable.copy(starter="existing", project_name="demo", services=[])
    updatable.update(services=SERVICES, base_image="ubuntu", python_version="3.12")
    fresh = render(starter="existing", project_name="demo", services=SERVICES, base_image="ubuntu", python_version="3.12")
    for file in (file.relative_to(fresh) for file in fresh.rglob("*") if file.is_file() and file.name != ".copier-answers.yml"):
        assert (updatable.path / file).read_text() == (fresh / file).read_text(), file
