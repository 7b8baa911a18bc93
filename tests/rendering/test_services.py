"""Services: one file each, chosen alone or together."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from copier import run_copy
from project import defaults
from repository import ABOUT, ROOT, SERVICES, copy_working_tree, make_repository


@pytest.mark.parametrize("service", SERVICES)
def test_alone_it_brings_its_file_its_keys_and_its_folder(render, service: str) -> None:
    path = render(services=[service])
    about = ABOUT[service]
    assert [file.name for file in (path / "include").iterdir()] == [f"{service}.yaml"]
    emitted = yaml.safe_load((path / f"include/{service}.yaml").read_text())
    assert list(emitted) == ["services"] and list(emitted["services"]) == [service]
    env = (path / ".env").read_text()
    assert all(f"\n# {key}={value}\n" in env for key, value in about["env"].items())
    assert defaults(path).items() >= {key: str(value) for key, value in about["env"].items()}.items()
    assert not any(
        re.search(rf"\${{({'|'.join(about['env'])})}}", file.read_text()) for file in path.rglob("*.yaml")
    ), "no default"
    assert sorted(entry.name for entry in (path / "data").iterdir()) == sorted(
        [".gitignore", *([about["data"]] if "data" in about else [])]
    )
    compose = yaml.safe_load((path / "compose.yaml").read_text())
    app = compose["services"]["app"]
    urls = {
        name: re.sub(r"\$\{(\w+)\}", lambda key: f"${{{key[1]}:-{about['env'][key[1]]}}}", str(url))
        for name, url in (about.get("url", {}) | about.get("also", {})).items()
    }
    assert {name: str(url) for name, url in app.get("environment", {}).items()}.items() >= urls.items()
    # The application waits for what it has the address of
    assert app.get("depends_on", {}) == (
        {service: {"condition": "service_healthy", "restart": True}} if "url" in about else {}
    )
    project = tomllib.loads((path / "app/pyproject.toml").read_text())["project"]
    assert about.get("requirement", "fastapi>=0.165,<1") in project["dependencies"]
    readme = (path / "README.md").read_text()
    assert about["help"] in readme and all(f"`{name}`" in readme for name in about.get("url", {}))
    assert (
        (f"`./sh -s {service} {about.get('client')}`" in readme) == ("client" in about) == (f"-s {service}" in readme)
    )


@pytest.mark.parametrize("service", SERVICES)
def test_its_file_keeps_the_rules(service: str) -> None:
    text = (ROOT / f"include/services/{service}.yaml").read_text()
    about, definition = ABOUT[service], yaml.safe_load(text)["services"][service]
    key = service.upper()
    assert re.search(rf"image: \${{{key}_IMAGE:-[^$]+\${{{key}_VERSION}}[\w-]*}}", text)
    assert set(about["env"]) == set(re.findall(r"\$\{(\w+)", text)) - {
        f"{key}_IMAGE",
        "BIND",
        "COMPOSE_PROJECT_NAME",
        "HOST_UID",
        "HOST_GID",
    }
    assert about["google_cloud"]
    assert definition["restart"] == "on-failure"
    assert all(port.startswith("${BIND:-127.0.0.1}:") for port in definition.get("ports", []))
    # What the application has the address of, it can use and wait for
    for name in ("write", "read") if "url" in about else ():
        compile(about[name], f"{service}.{name}", "exec")
    assert ("url" in about) == ("client" in about) == ("healthcheck" in definition)
    assert set(definition.get("healthcheck", {})) in (
        {"test", "interval", "timeout", "start_period", "start_interval"},
        set(),
    )
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
    model = json.loads(
        subprocess.run(command, cwd=render(services=SERVICES), env=env, check=True, capture_output=True).stdout
    )
    assert {port["host_ip"] for service in model["services"].values() for port in service.get("ports", [])} == {
        "0.0.0.0"
    }


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
    image: ${WHALE_IMAGE:-whale:${WHALE_VERSION}}
    user: ${HOST_UID:-1000}:${HOST_GID:-1000}
    entrypoint: [sh, /drydock/start.sh, /data, "${WHALE_VERSION}", whale-server]
    environment:
      WHALE_PASSWORD: ${WHALE_PASSWORD}
    ports:
      - ${BIND:-127.0.0.1}:${WHALE_PORT}:7777
    volumes:
      - ../data/whale:/data
      - ../.drydock/services:/drydock:ro
    healthcheck: {test: [CMD, whale-cli, ping], interval: 10s, timeout: 5s, start_period: 1m, start_interval: 500ms}
    restart: on-failure
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
    assert "# WHALE_PORT=7777" in (demo / ".env").read_text()

    subprocess.run([sys.executable, template / "docs/services.py"], check=True)
    assert "| `whale` | Made up - Whale | `whale:7` | 7777 |" in (template / "docs/services.md").read_text()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--numprocesses=0",
        "tests/rendering/test_services.py",
        "-k",
        "whale or docs or ports",
    ]
    result = subprocess.run(command, cwd=template, capture_output=True, text=True)
    assert result.returncode == 0 and "5 passed" in result.stdout, result.stdout


def test_none_leaves_nothing_of_them(render) -> None:
    path = render(services=[])
    assert not (path / "include").exists()
    assert [entry.name for entry in (path / "data").iterdir()] == [".gitignore"]
    compose = yaml.safe_load((path / "compose.yaml").read_text())
    assert "include" not in compose
    assert "depends_on" not in compose["services"]["app"]
