"""Manifests, Cloud Build's and the forges' files are what those who read them take."""

import copy
import importlib.resources
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from repository import SERVICES

ANSWERS: list[dict[str, Any]] = [
    {"cloud_run": "service"},
    {"cloud_run": "service", "starter": "django", "services": SERVICES},
    {"cloud_run": "service", "starter": "flask", "services": ["mysql", "redis"]},
    {"cloud_run": "service", "starter": "existing", "project_name": "a" * 63},
    {"cloud_run": "job", "starter": "worker", "services": ["postgres"]},
]
every_answer = pytest.mark.parametrize(
    "answers", ANSWERS, ids=lambda answers: "-".join(map(str, answers.values()))[:60]
)
KINDS = {"service.yaml": "Service", "job.yaml": "Job", "migrate.yaml": "Job"}


def schemas(name: str) -> dict[str, Any]:
    """Return what Google's own client library knows of an API."""
    file = importlib.resources.files("googleapiclient") / f"discovery_cache/documents/{name}.json"
    return json.loads(file.read_text())["schemas"]


def complaints(known: dict[str, Any], schema: dict[str, Any], value: Any, place: str = "") -> list[str]:
    """Return what a value has that its schema does not know, or knows otherwise."""
    if "$ref" in schema:
        schema = known[schema["$ref"]]
    kind = schema.get("type")
    if kind == "object":
        if not isinstance(value, dict):
            return [f"{place}: not an object"]
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        found = []
        for key, item in value.items():
            if key in properties or others:
                found += complaints(known, properties.get(key) or others or {}, item, f"{place}.{key}")
            else:
                found.append(f"{place}.{key}: unknown")
        return found
    if kind == "array":
        if not isinstance(value, list):
            return [f"{place}: not a list"]
        return [text for item in value for text in complaints(known, schema["items"], item, f"{place}[]")]
    types: dict[str, type] = {"string": str, "integer": int, "boolean": bool}
    wanted = types.get(str(kind), object)
    # An int64 is a string in JSON
    if not isinstance(value, wanted) and not (schema.get("format", "").endswith("64") and isinstance(value, int)):
        return [f"{place}: {value!r} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place}: {value!r} is none of {schema['enum']}"]
    return []


def manifest(path: Path, name: str) -> dict[str, Any]:
    """Return a manifest as it is deployed, with values that a person would fill in."""
    values = path / "cloudrun/values.env"
    text = values.read_text()
    filled = "PROJECT_ID=my-project\nREGION=europe-west1\nIDENTITY_PROVIDER=x\n"
    try:
        values.write_text(filled + "\n".join(line for line in text.splitlines() if not line.endswith("=")) + "\n")
        command: list[str | Path] = ["sh", path / ".drydock/host/manifest.sh", name, "registry/x@sha256:12&|3"]
        return yaml.safe_load(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    finally:
        values.write_text(text)


@every_answer
def test_cloud_run_takes_the_manifests(render, answers: dict) -> None:
    path = render(**answers)
    known = schemas("run.v1")
    files = sorted(file.name for file in (path / "cloudrun").glob("*.yaml") if file.name != "cloudbuild.yaml")
    assert files == [*(["migrate.yaml"] if answers.get("starter") == "django" else []), f"{answers['cloud_run']}.yaml"]
    for name in files:
        model = manifest(path, name)
        assert not complaints(known, known[KINDS[name]], model)
        spec = model["spec"]["template"]["spec"]
        spec = spec["template"]["spec"] if name != "service.yaml" else spec
        (container,) = spec["containers"]
        assert container["image"] == "registry/x@sha256:12&|3"
        assert spec["serviceAccountName"].endswith("-runner@my-project.iam.gserviceaccount.com")
        # What Cloud Run limits
        assert len(model["metadata"]["name"]) <= (63 if name == "migrate.yaml" else 49)
        assert 6 <= len(spec["serviceAccountName"].split("@")[0]) <= 30
        names = [variable["name"] for variable in container.get("env", [])]
        assert len(names) == len(set(names))
        secrets = [variable["valueFrom"]["secretKeyRef"] for variable in container["env"] if "valueFrom" in variable]
        assert all(secret["key"] == "1" for secret in secrets)
        assert not any("EMULATOR" in variable for variable in names)
        if name == "service.yaml":
            startup = container["startupProbe"]
            # What older validators allow, too
            assert startup["periodSeconds"] * startup["failureThreshold"] <= 240
            assert startup["timeoutSeconds"] <= startup["periodSeconds"]
            assert all(not probe["httpGet"]["path"].endswith("z") for probe in (startup, container["livenessProbe"]))


def test_the_check_of_manifests_finds_mistakes(render) -> None:
    known = schemas("run.v1")
    right = manifest(render(cloud_run="service"), "service.yaml")
    for place, value in (
        (("failureTreshold",), 3),
        (("httpGet", "scheme", "x"), 1),
        (("periodSeconds",), "often"),
    ):
        wrong = copy.deepcopy(right)
        part = wrong["spec"]["template"]["spec"]["containers"][0]["startupProbe"]
        for key in place[:-1]:
            part = part.setdefault(key, {})
        part[place[-1]] = value
        assert complaints(known, known["Service"], wrong), place


@every_answer
def test_cloud_build_takes_its_file(render, answers: dict) -> None:
    path = render(**answers)
    build = yaml.safe_load((path / "cloudrun/cloudbuild.yaml").read_text())
    known = schemas("cloudbuild.v1")
    assert not complaints(known, known["Build"], build)
    account = manifest(path, f"{answers['cloud_run']}.yaml")
    assert build["serviceAccount"].split("/")[-1].split("@")[0].endswith("-deploy")
    assert account["metadata"]["name"] in build["steps"][0]["script"]
    for step in build["steps"]:
        subprocess.run(
            ["shellcheck", "--shell=sh", "--exclude=SC1091", "-"], input=step["script"], text=True, check=True
        )
    check(path / "cloudrun/cloudbuild.yaml", "cloudbuild")


def check(file: Path, schema: str) -> None:
    command: list[str | Path] = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", file]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_missing_values_end_a_deployment_and_are_named(render) -> None:
    path = render(cloud_run="service", ci="gitlab")
    command: list[str | Path] = ["sh", path / ".drydock/host/manifest.sh", "service.yaml", "x"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1 and not result.stdout
    assert result.stderr == "cloudrun/values.env: fill in PROJECT_ID REGION IDENTITY_PROVIDER\n"


FILLED = "PROJECT_ID=my-project\nREGION=europe-west1\nSERVICE_ACCOUNT=a\nDEPLOY_ACCOUNT=b\nREPOSITORY=r\n"
DIGEST = "r/demo@sha256:0123"
AT = "--project my-project --region europe-west1 --quiet"


@pytest.mark.parametrize(
    ("answers", "words", "wanted"),
    [
        (
            {"cloud_run": "service", "starter": "django"},
            [DIGEST],
            [
                f"run jobs replace migrate.yaml {AT}",
                f"run jobs execute demo-migrate --wait {AT}",
                f"run services replace service.yaml {AT}",
                f"run services describe demo --format value(status.url) {AT}",
            ],
        ),
        ({"cloud_run": "job", "starter": "worker"}, [DIGEST], [f"run jobs replace job.yaml {AT}"]),
        (
            {"cloud_run": "service"},
            [DIGEST, "preview"],
            [f"run deploy demo --image {DIGEST} --tag preview --no-traffic {AT}"],
        ),
        ({"cloud_run": "service"}, ["r/demo:latest"], []),
    ],
)
def test_a_deployment(render, tmp_path: Path, answers: dict, words: list[str], wanted: list[str]) -> None:
    path = tmp_path / "demo"
    shutil.copytree(render(project_name="demo", **answers), path)
    (path / "cloudrun/values.env").write_text(FILLED)
    gcloud = tmp_path / "gcloud"
    gcloud.write_text(
        f'#!/bin/sh\necho "$*" | sed "s#/[^ ]*/##" >>{tmp_path}/calls\n[ ! -e "$4" ] || grep -q {DIGEST} "$4"\n'
    )
    gcloud.chmod(0o755)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    result = subprocess.run([path / "sh", "--deploy", *words], env=env, capture_output=True, text=True)
    calls = (tmp_path / "calls").read_text().splitlines() if wanted else []
    assert calls == wanted, result.stderr
    assert result.returncode == (0 if wanted else 2)


CI_ANSWERS = [{}, {"cloud_run": "service", "services": ["postgres"]}, {"cloud_run": "job", "starter": "worker"}]
every_ci_answer = pytest.mark.parametrize("answers", CI_ANSWERS, ids=["alone", "service", "job"])


@every_ci_answer
def test_github_takes_its_workflow(render, answers: dict) -> None:
    path = render(ci="github", **answers)
    workflow = path / ".github/workflows/ci.yml"
    result = subprocess.run(["actionlint", workflow], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    command: list[str | Path] = ["zizmor", "--offline", "--quiet", "--persona", "pedantic", workflow]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    check(workflow, "github-workflows")
    check(path / "renovate.json", "renovate")


@every_ci_answer
def test_gitlab_takes_its_file(render, answers: dict) -> None:
    path = render(ci="gitlab", **answers)
    check(path / ".gitlab-ci.yml", "gitlab-ci")
    check(path / "renovate.json", "renovate")


def test_renovate_finds_what_its_patterns_are_for(render) -> None:
    path = render(ci="github", cloud_run="service", services=["postgres"])
    managers = json.loads((path / "renovate.json").read_text())["customManagers"]
    for manager, file, wanted in (
        (managers[0], "include/postgres.yaml", {"depName": "postgres", "currentValue": "18"}),
        (managers[1], ".github/workflows/ci.yml", {"depName": "aquasec/trivy", "currentValue": "0.69.3"}),
    ):
        assert any(re.search(pattern.strip("/"), file) for pattern in manager["managerFilePatterns"])
        (pattern,) = manager["matchStrings"]
        found = re.search(pattern.replace("(?<", "(?P<"), (path / file).read_text())
        assert found and wanted.items() <= found.groupdict().items()


def test_the_builder_that_source_deployments_need_is_proposed(render) -> None:
    answers = yaml.safe_load((render(cloud_run="service", advanced=True) / ".copier-answers.yml").read_text())
    assert answers["builder"] == "any"
    assert "--mount" not in (render(cloud_run="service") / "Dockerfile").read_text()
    assert "--mount" in (render() / "Dockerfile").read_text()
