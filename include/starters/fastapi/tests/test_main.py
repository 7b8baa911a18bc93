from fastapi.testclient import TestClient

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
