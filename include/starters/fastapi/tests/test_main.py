{% from 'include/asked.jinja' import asked with context %}
{% if asked %}
import pytest
{% endif %}
from fastapi.testclient import TestClient

{% if asked %}
from api import services
{% endif %}
from api.main import app

client = TestClient(app)


def test_index_greets() -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.json() == {"message": "Hello from {{ project_name }}"}


def test_health() -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.text == "Healthy"


{% if not asked %}
def test_ready() -> None:
    assert client.get("/ready").text == "Ready"
{% else %}
def test_not_ready_while_a_service_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "unready", lambda: ["gone"])
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.text == "No answer: gone"
{% endif %}
