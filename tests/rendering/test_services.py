"""Services: one file each, chosen alone or together."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from copier import run_copy

from repository import ABOUT, ROOT, SERVICES, copy_working_tree, make_repository


@pytest.mark.parametrize("service", SERVICES)
def test_alone_it_brings_its_file_its_keys_and_its_folder(render, service: str) -> None:
    path = render(services=[service])
    about = ABOUT[service]
    assert [file.name for file in (path / "include").iterdir()] == [f"{service}.yaml"]
    emitted = yaml.safe_load((path / f"include/{service}.yaml").read_text())
    assert list(emitted) == ["services"] and list(emitted["services"]) == [service]
    env = (path / ".env").read_text()
    assert all(f"\n{key}={value}\n" in env for key, value in about["env"].items())
    assert sorted(entry.name for entry in (path / "data").iterdir()) == sorted([".gitignore", *([about["data"]] if "data" in about else [])])
    compose = yaml.safe_load((path / "compose.yaml").read_text())
    assert compose["services"]["app"]["environment"].items() >= (about["url"] | about.get("also", {})).items()
    assert compose["services"]["app"]["depends_on"][service]["condition"] == "service_healthy"
    assert about.get("requirement", "fastapi>=0.165,<1") in (path / "app/requirements.txt").read_text().splitlines()
    readme = (path / "README.md").read_text()
    assert about["help"] in readme and about["google_cloud"] in readme and f"./sh -s {service} {about['client']}" in readme
    assert ("pg_dump" in readme) == (service == "postgres")


@pytest.mark.parametrize("service", SERVICES)
def test_its_file_keeps_the_rules(service: str) -> None:
    text = (ROOT / f"include/services/{service}.yaml").read_text()
    about, definition = ABOUT[service], yaml.safe_load(text)["services"][service]
    key = service.upper()
    assert re.search(rf"image: \${{{{{key}_IMAGE:-[^$]+\${{{{{key}_VERSION:\?is missing in .env}}}}[\w-]*}}}}".replace("{{", "{").replace("}}", "}"), text)
    assert set(about["env"]) == set(re.findall(r"\$\{(\w+)", text)) - {f"{key}_IMAGE", "BIND", "HOST_UID", "HOST_GID"}
    assert about["google_cloud"] and about["client"] and about["write"] and about["read"]
    assert definition["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "start_period", "start_interval"} == set(definition["healthcheck"])
    assert all(port.startswith("${BIND:-127.0.0.1}:") for port in definition["ports"])
    for name in ("write", "read"):
        compile(about[name], f"{service}.{name}", "exec")
    if "data" in about:
        # Behind the script that names what is wrong with the folder, and gives each major version one of its own
        assert f"../data/{service}:" in text and definition["entrypoint"][:2] == ["sh", "/drydock/start.sh"]


def test_all_together_have_ports_of_their_own(render) -> None:
    ports = [value for about in ABOUT.values() for key, value in about["env"].items() if key.endswith("PORT")]
    assert not {8000, 8080, 5678} & set(ports)
    assert len(ports) == len(set(ports))
    urls = yaml.safe_load((render(services=SERVICES) / "compose.yaml").read_text())["services"]["app"]["environment"]
    assert "@postgres:" in urls["DATABASE_URL"] and "@redis:" in urls["REDIS_URL"]


@pytest.mark.skipif(not shutil.which("docker"), reason="docker compose is not installed")
def test_bind_opens_all_ports_knowingly(render) -> None:
    command = ["docker", "compose", "--profile", "*", "config", "--format", "json"]
    env = os.environ | {"BIND": "0.0.0.0"}
    model = json.loads(subprocess.run(command, cwd=render(services=SERVICES), env=env, check=True, capture_output=True).stdout)
    del model["services"]["logs"]  # the engine alone speaks to it
    assert {port["host_ip"] for service in model["services"].values() for port in service.get("ports", [])} == {"0.0.0.0"}


def test_the_docs_table_is_up_to_date() -> None:
    subprocess.run([sys.executable, ROOT / "docs/services.py", "--check"], check=True)


MADE_UP = """\
x-template:
  help: Made up - Whale
  env:
    WHALE_VERSION: "7"
    WHALE_PORT: 7777
    WHALE_PASSWORD: development
  url:
    WHALE_URL: whale://:${WHALE_PASSWORD}@whale:7777
  data: whale
  requirement: whale-client
  client: whale-cli
  google_cloud: "no managed one: the ocean"
  write: |
    import os
  read: |
    import os

services:
  whale:
    image: ${WHALE_IMAGE:-whale:${WHALE_VERSION:?is missing in .env}}
    user: ${HOST_UID:-1000}:${HOST_GID:-1000}
    entrypoint: [sh, /drydock/start.sh, /data, "${WHALE_VERSION}", whale-server]
    environment:
      WHALE_PASSWORD: ${WHALE_PASSWORD:?is missing in .env}
    ports:
      - ${BIND:-127.0.0.1}:${WHALE_PORT:?is missing in .env}:7777
    volumes:
      - ../data/whale:/data
      - ../.drydock/services:/drydock:ro
    healthcheck: {test: [CMD, whale-cli, ping], interval: 10s, timeout: 5s, start_period: 1m, start_interval: 500ms}
    restart: unless-stopped
"""


def test_one_file_adds_a_service(tmp_path: Path) -> None:
    """Prompt, compose files, .env, environment, data folder, README, the docs' table, and the tests above."""
    template = tmp_path / "template"
    copy_working_tree(template)
    make_repository(template)
    (template / "include/services/whale.yaml").write_text(MADE_UP)
    demo = tmp_path / "demo"
    run_copy(str(template), demo, data={"services": ["whale"]}, defaults=True, quiet=True, vcs_ref="HEAD")
    assert (demo / "include/whale.yaml").is_file() and (demo / "data/whale/.gitkeep").is_file()
    assert "WHALE_PORT=7777" in (demo / ".env").read_text()

    subprocess.run([sys.executable, template / "docs/services.py"], check=True)
    assert "| `whale` | Made up - Whale | `whale:7` | 7777 |" in (template / "docs/services.md").read_text()
    command = [sys.executable, "-m", "pytest", "-q", "--numprocesses=0", "tests/rendering/test_services.py", "-k", "whale or docs or ports"]
    result = subprocess.run(command, cwd=template, capture_output=True, text=True)
    assert result.returncode == 0 and "5 passed" in result.stdout, result.stdout


def test_none_leaves_nothing_of_them(render) -> None:
    path = render(services=[])
    assert not (path / "include").exists()
    assert [entry.name for entry in (path / "data").iterdir()] == [".gitignore"]
    compose = yaml.safe_load((path / "compose.yaml").read_text())
    assert "include" not in compose
    assert set(compose["services"]["app"]["depends_on"]) == {"logs"}
