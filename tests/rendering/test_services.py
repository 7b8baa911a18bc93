"""Services: one file each, chosen alone or together."""

import pytest
import yaml

from repository import ROOT, SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_alone_it_brings_its_file_its_keys_and_its_folder(render, service: str) -> None:
    path = render(services=[service])
    about = yaml.safe_load((ROOT / f"include/services/{service}.yaml").read_text())["x-template"]
    assert [file.name for file in (path / "include").iterdir()] == [f"{service}.yaml"]
    emitted = yaml.safe_load((path / f"include/{service}.yaml").read_text())
    assert list(emitted) == ["services"] and list(emitted["services"]) == [service]
    env = (path / ".env").read_text()
    assert all(f"\n{key}={value}\n" in env for key, value in about["env"].items())
    assert (path / "data" / about["data"]).is_dir()
    compose = yaml.safe_load((path / "compose.yaml").read_text())
    assert compose["services"]["app"]["environment"].items() >= about["url"].items()
    assert compose["services"]["app"]["depends_on"][service]["condition"] == "service_healthy"
    assert about["requirement"] in (path / "app/requirements.txt").read_text().splitlines()
    assert about["help"] in (path / "README.md").read_text()


def test_none_leaves_nothing_of_them(render) -> None:
    path = render(services=[])
    assert not (path / "include").exists()
    assert [entry.name for entry in (path / "data").iterdir()] == [".gitignore"]
    compose = yaml.safe_load((path / "compose.yaml").read_text())
    assert "include" not in compose
    assert set(compose["services"]["app"]["depends_on"]) == {"logs"}
