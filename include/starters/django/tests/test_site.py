import pytest
from django.test import Client


def test_index_greets(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.content == b"Hello from {{ project_name }}\n"


def test_health(client: Client) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.content == b"Healthy"


@pytest.mark.django_db
def test_the_admin_asks_who_you_are(client: Client) -> None:
    assert client.get("/admin/", follow=True).redirect_chain == [("/admin/login/?next=/admin/", 302)]


@pytest.mark.django_db
def test_the_admin_lets_its_users_in(admin_client: Client) -> None:
    assert admin_client.get("/admin/").status_code == 200
