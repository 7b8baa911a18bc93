import pytest
from django.db import DatabaseError, connection


def test_index_greets(client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.content == b"Hello from {{ project_name }}\n"


def test_health(client) -> None:
    # By any name
    response = client.get("/health", headers={"host": "169.254.1.1:8080"})
    assert response.status_code == 200
    assert response.content == b"Healthy"


def test_not_ready_while_the_database_does_not_answer(client, monkeypatch: pytest.MonkeyPatch) -> None:
    def cursor() -> None:
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", cursor)
    response = client.get("/ready")
    assert response.status_code == 503
    assert response.content == b"No answer: the database"


@pytest.mark.django_db
def test_the_admin_asks_who_you_are(client) -> None:
    assert client.get("/admin/", follow=True).redirect_chain == [("/admin/login/?next=/admin/", 302)]


@pytest.mark.django_db
def test_the_admin_lets_its_users_in(admin_client) -> None:
    assert admin_client.get("/admin/").status_code == 200
