"""Everyday commands on newer Composes; all other tests run on the oldest that is supported."""

import pytest
from project import NEWER_COMPOSES


@pytest.mark.parametrize("compose", ["2.40", "5"])
def test_everyday_commands(start, compose: str) -> None:
    if compose not in NEWER_COMPOSES:
        pytest.skip("this Compose is not here: run tests/engine/check-engine up")
    project = start(services=["redis"])
    options = project.as_user(compose=compose)
    assert project.compose("version", "--short", **options).stdout.startswith(compose)
    built = project.compose("up", "--build", "--wait", **options)
    assert "warn" not in built.stderr.lower()
    assert "Hello" in project.get()

    assert "app: running, healthy" in project.sh("--info", **options).stdout
    assert (
        f"REDIS_URL=redis://:development@127.0.0.1:{project.ports['REDIS_PORT']}/0"
        in project.sh("--env", **options).stdout
    )
    doctor = project.sh("--doctor", check=False, **options).stdout
    assert doctor.endswith("No problem found.\n"), doctor

    redis = ("-s", "redis", "redis-cli")
    project.sh(*redis, "set", "word", "kept", **options)
    project.sh("--snapshot", "one", **options)
    project.sh(*redis, "set", "word", "lost", **options)
    project.sh("--restore", "one", "--yes", **options)
    assert project.sh(*redis, "get", "word", **options).stdout == "kept\n"
    project.sh("--reset", "redis", "--yes", **options)
    assert project.sh(*redis, "get", "word", **options).stdout == "\n"

    project.compose("down", **options)
    assert project.sh("python", "-c", "print('one-off')", **options).stdout == "one-off\n"
    assert "passed" in project.compose("run", "--rm", "tests", **options).stdout
