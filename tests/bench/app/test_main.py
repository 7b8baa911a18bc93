from fastapi.testclient import TestClient
from main import app


def test_index_answers() -> None:
    assert "httpx" in TestClient(app).get("/").json()
