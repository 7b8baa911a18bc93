import pytest
from flask.testing import FlaskClient

from web import create_app


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
