from main import app

client = app.test_client()


def test_index_greets() -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.text == "Hello from {{ project_name }}\n"


def test_health_is_ok() -> None:
    assert client.get("/health").json == {"status": "ok"}
