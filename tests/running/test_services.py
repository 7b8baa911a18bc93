"""Services: healthy before the application starts, reached by their URLs, with data that outlives containers."""

import pytest

from repository import SERVICES

WRITE = {
    "postgres": """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("CREATE TABLE kept (word text)")
    connection.execute("INSERT INTO kept VALUES ('kept')")
""",
    "redis": """
import os, redis
redis.from_url(os.environ["REDIS_URL"]).set("word", "kept")
""",
    "rabbitmq": """
import os, pika
channel = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"])).channel()
channel.queue_declare("words", durable=True)
channel.basic_publish("", "words", b"kept", pika.BasicProperties(delivery_mode=2))
channel.connection.close()
""",
}
READ = {
    "postgres": """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    print(connection.execute("SELECT word FROM kept").fetchall())
""",
    "redis": """
import os, redis
print(redis.from_url(os.environ["REDIS_URL"]).get("word"))
""",
    "rabbitmq": """
import os, pika
channel = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"])).channel()
print(channel.basic_get("words")[2])
channel.connection.close()
""",
}


def test_every_service_has_its_real_check() -> None:
    assert sorted(WRITE) == sorted(READ) == SERVICES


@pytest.fixture
def project(start):
    return start(services=SERVICES)


def test_data_outlives_containers(project) -> None:
    project.up()
    states = project.compose("ps", "--format", "{{.Service}} {{.Health}}").stdout.splitlines()
    assert sorted(states) == sorted(f"{service} healthy" for service in ["app", *SERVICES])
    for service in SERVICES:
        project.sh("python", "-c", WRITE[service])

    project.compose("down")
    project.up()
    for service in SERVICES:
        assert "kept" in project.sh("python", "-c", READ[service]).stdout, service
    project.sh("python", "-c", WRITE["rabbitmq"])  # what is read from a queue is gone

    requirements = project.path / "app/requirements.txt"
    requirements.write_text(requirements.read_text() + "six\n")
    project.up()
    for service in SERVICES:
        assert "kept" in project.sh("python", "-c", READ[service] + "import six").stdout, service

    assert "kept" in project.sh("-s", "postgres", "psql", "-c", "SELECT word FROM kept").stdout
    assert project.sh("-s", "redis", "redis-cli", "get", "word").stdout == "kept\n"
    project.compose("run", "--rm", "--build", "tests")


def test_a_port_in_use_is_named(project) -> None:
    port = project.ports["REDIS_PORT"]
    with project.container("--publish", f"127.0.0.1:{port}:1", "redis:8"):
        result = project.compose("up", "--wait", "redis", check=False)
        assert result.returncode != 0
        assert str(port) in result.stderr
