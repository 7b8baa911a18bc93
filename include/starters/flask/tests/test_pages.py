{% from 'include/asked.jinja' import asked with context %}
import pytest
from flask.testing import FlaskClient

from web import create_app{{ ', pages' if asked }}


@pytest.fixture
def client() -> FlaskClient:
    return create_app().test_client()


def test_index_greets(client: FlaskClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.text == "Hello from {{ project_name }}\n"


def test_health(client: FlaskClient) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.text == "Healthy"


{% if not asked %}
def test_ready(client: FlaskClient) -> None:
    assert client.get("/ready").text == "Ready"
{% else %}
def test_not_ready_while_a_service_does_not_answer(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "unready", lambda: ["gone"])
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.text == "No answer: gone"
{% endif %}
