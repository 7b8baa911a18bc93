"""The Django starter: its database, its admin, and what production asks for."""

import http.client
import re
import secrets
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from project import Project, eventually

SUPERUSER = ["env", "DJANGO_SUPERUSER_PASSWORD=open-sesame", "python", "manage.py", "createsuperuser", "--noinput"]
SUPERUSER += ["--username", "somebody", "--email", "somebody@example.com"]


class Browser:
    """Keeps cookies, and comes by HTTPS as far as a proxy in front would tell."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: SimpleCookie = SimpleCookie()

    def open(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Return the status and the body of a page, which `form` is posted to if there is one."""
        headers = {"X-Forwarded-Proto": "https", "Referer": f"https://127.0.0.1:{self.port}/"}
        headers["Cookie"] = "; ".join(f"{cookie.key}={cookie.value}" for cookie in self.cookies.values())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        if form is None:
            connection.request("GET", path, headers=headers)
        else:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST", path, urlencode(form), headers)
        response = connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie", []):
            self.cookies.load(cookie)
        body = response.read().decode()
        connection.close()
        return response.status, body

    def sign_in(self) -> str:
        """Sign in to the admin as SUPERUSER; return its first page."""
        _, page = self.open("/admin/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token, page
        form = {"csrfmiddlewaretoken": token[1], "username": "somebody", "password": "open-sesame", "next": "/admin/"}
        assert self.open("/admin/login/", form)[0] == 302
        status, page = self.open("/admin/")
        assert status == 200 and "Log out" in page
        return page


def check_styles(browser: Browser, page: str) -> None:
    """Look whether the server serves the style sheets of a page."""
    styles = re.findall(r'href="(/static/[^"]+\.css)"', page)
    assert styles
    for style in styles:
        status, text = browser.open(style)
        assert status == 200 and "{" in text, style


def test_the_first_start_has_a_database_and_an_admin_with_its_style(start) -> None:
    project = start(starter="django")
    project.up()
    project.sh("python", "manage.py", "migrate", "--check")
    project.sh(*SUPERUSER)
    browser = Browser(project.ports["PORT"])
    check_styles(browser, browser.sign_in())

    project.compose("down")
    project.up()
    assert "Log out" in browser.open("/admin/")[1], "a new container has forgotten the session, or the user"
    assert not list(project.path.glob("app/**/*.sqlite3")), "development's database would ship"


def test_an_edited_template_and_a_new_module_show_at_once(start) -> None:
    project = start(starter="django")
    project.up()
    page = project.path / "app/templates/page.html"
    page.parent.mkdir()
    page.write_text("one")
    (project.path / "app/config/pages.py").write_text(
        "from django.shortcuts import render\n\n\ndef page(request):\n    return render(request, 'page.html')\n"
    )
    urls = project.path / "app/config/urls.py"
    urls.write_text(
        urls.read_text().replace("import views", "import pages, views").replace("views.index", "pages.page")
    )
    eventually(project.get, lambda seen: seen == "one")
    page.write_text("two")
    eventually(project.get, lambda seen: seen == "two")


def test_a_broken_start_heals_by_an_edit(start) -> None:
    project = start(starter="django")
    settings = project.path / "app/config/settings.py"
    text = settings.read_text()
    settings.write_text("1 / 0\n")
    project.compose("up", "--build", "--detach")
    eventually(lambda: project.compose("logs", "app").stdout, lambda log: log.count("ZeroDivisionError") > 1)
    settings.write_text(text)
    eventually(project.get, lambda page: "Hello" in page)


def serve(project: Project, tag: str, **settings: str):
    """Run production's image with these settings and two workers."""
    environment = {"WEB_CONCURRENCY": "2"} | settings
    words = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
    return project.container(*words, "--publish", f"127.0.0.1:{project.ports['SERVICE_PORT']}:8080", tag)


def test_production(start) -> None:
    project = start(project_name="demo", starter="django")
    tag, _ = project.build()
    refused = project.run("docker", "run", "--rm", "--env", "DJANGO_SECRET_KEY=", tag, check=False)
    assert refused.returncode != 0
    assert "Set DATABASE_URL, DJANGO_ALLOWED_HOSTS, DJANGO_SECRET_KEY" in refused.stdout + refused.stderr

    settings = {
        "DATABASE_URL": "sqlite:////tmp/db.sqlite3",
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1,.example.com",
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
    }
    with serve(project, tag, **settings) as name:
        inside = ["docker", "exec", name]
        project.run(*inside, "python", "manage.py", "check", "--deploy", "--fail-level", "WARNING")
        project.run(*inside, "python", "manage.py", "migrate")
        project.run(*inside, *SUPERUSER)
        browser = Browser(project.ports["SERVICE_PORT"])
        eventually(lambda: browser.open("/health"), lambda seen: seen == (200, "Healthy"))
        check_styles(browser, browser.sign_in())
        assert all(cookie["secure"] for cookie in browser.cookies.values())
        assert [browser.open("/admin/")[0] for _ in range(20)] == [200] * 20
        workers = project.run(*inside, "sh", "-c", "grep -l gunicorn /proc/[0-9]*/comm").stdout.split()
        assert len(workers) == 3, workers


@pytest.mark.parametrize("service", ["postgres", "mariadb", "mysql"])
def test_a_database_server_in_place_of_sqlite(start, service: str) -> None:
    project = start(starter="django", services=[service])
    project.up()
    project.sh("python", "manage.py", "migrate", "--check")
    vendor = "from django.db import connection; print(connection.vendor, 'auth_user' in connection.introspection.table_names())"
    seen = project.sh("python", "manage.py", "shell", "--no-imports", "-c", vendor).stdout.split()
    assert seen == ["postgresql" if service == "postgres" else "mysql", "True"]
    assert " passed" in project.compose("run", "--rm", "--build", "tests").stdout
