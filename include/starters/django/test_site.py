from django.test import Client


def test_index_greets(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.content == b"Hello from {{ project_name }}\n"


def test_health_is_ok(client: Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}
