"""./sh --doctor and ./sh --info: what is wrong and how to fix it; what runs and how to reach it."""

import os
import re
import socket
import stat

import pytest
from project import FIRST_USER, Project, eventually, free_port

OWN = """
services:
  mail:
    image: redis:8
    command: [redis-server, --port, "8025"]
    ports: ["127.0.0.1:{port}:8025"]
    environment:
      MAIL_PASSWORD: 'a$$b'
    x-client: redis-cli -p 8025
    x-vm-max-map-count: {least}
"""


@pytest.fixture(scope="module")
def project(start_shared) -> Project:
    project = start_shared(services=["postgres", "redis"])
    project.up()
    return project


def problems(project: Project, **options) -> str:
    """Return the doctor's problems; the exit status is by them."""
    result = project.sh("--doctor", check=False, **options)
    found = [line for line in result.stdout.splitlines() if line.startswith("! ")]
    assert result.returncode == bool(found), result
    assert not result.stderr
    return "\n".join(found)


def test_info_says_how_to_reach_what_runs(project) -> None:
    override = project.path / "compose.override.yaml"
    override.write_text(OWN.format(port=free_port(), least=1))
    project.compose("up", "--wait", "mail")
    said = project.sh("--info", cwd=project.path / "app").stdout
    ports = project.ports
    assert (
        f"app: running, healthy\n    http://127.0.0.1:{ports['PORT']}\n    debugger: 127.0.0.1:{ports['DEBUG_PORT']}\n"
        in said
    )
    assert f"    DATABASE_URL=postgresql://app:development@127.0.0.1:{ports['POSTGRES_PORT']}/app\n" in said
    assert "POSTGRES_PASSWORD=development\n" in said and "./sh -s postgres psql\n" in said
    mail = re.search(
        r"mail: running\n    http://127.0.0.1:\d+\n    MAIL_PASSWORD=a\$b\n    ./sh -s mail redis-cli -p 8025\n", said
    )
    assert mail, said
    assert "\ntests:" not in said and "\nservice:" not in said
    project.compose("rm", "--force", "--stop", "mail")
    assert "\nmail: not running\n" in project.sh("--info").stdout
    override.unlink()


def test_all_is_well(project) -> None:
    result = project.sh("--doctor")
    assert "No problem found" in result.stdout
    assert "Compose" in result.stdout


def test_files_that_are_not_as_they_should_be(project) -> None:
    path = project.path
    (path / "certificates").mkdir(exist_ok=True)
    (path / "certificates/company.crt").write_bytes(b"\x30\x82")
    (path / "build.sh").write_bytes((path / "build.sh").read_bytes().replace(b"\n", b"\r\n"))
    env = (path / ".env").read_text()
    found = problems(project)
    assert "company.crt is no PEM file: openssl x509 -inform der" in found
    assert "Windows line endings in build.sh" in found and "sed -i" in found
    assert "The image is older than" in found and "build.sh" in found and "docker compose up --build" in found
    (path / "certificates/company.crt").unlink()
    (path / "build.sh").write_bytes((path / "build.sh").read_bytes().replace(b"\r\n", b"\n"))

    project.set_env(PORT="eighty")
    broken = project.env
    project.env = {key: value for key, value in broken.items() if not key.endswith("PORT")}
    assert "Compose refuses its files" in problems(project)
    project.env = broken
    (path / ".env").write_text(env)

    project.sh("uv", "add", "six")
    assert "app/uv.lock" in problems(project)
    project.compose("build", "app")
    assert "runs in an older image" in problems(project)
    project.up()
    assert not problems(project)


def test_ports_that_are_taken_and_by_whom(project) -> None:
    project.compose("stop", "redis", "app")
    port = project.ports["REDIS_PORT"]
    with project.container("--publish", f"127.0.0.1:{port}:1", "redis:8") as name:
        assert (
            f"Port {port} of redis is taken by container {name}: stop that, or give REDIS_PORT another number in .env"
            in problems(project)
        )
        # The engine's own words, in a container that could not be started
        project.compose("start", "redis", check=False)
        assert "see the port above" in problems(project)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", project.ports["PORT"]))
        listener.listen()
        assert re.search(rf"Port {project.ports['PORT']} of app is taken by \S+ \(process \d+\)", problems(project))
    project.up()
    assert not problems(project)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be other users")
def test_users_and_what_is_not_theirs(project) -> None:
    made = project.path / "app/made_by_root"
    made.touch()
    missing = project.path / "data/redis/8"
    os.chown(missing, 0, 0)
    found = problems(project)
    assert "made_by_root" in found and f"./sh --root chown -R {FIRST_USER}:{FIRST_USER} /app" in found
    assert f"redis runs as user {FIRST_USER}, who does not own {missing}" in found
    # As it says
    for command in re.findall(r"\./sh (--root chown \S+ \S+ \S+)$", found, re.M):
        project.sh(*command.split())
    assert not problems(project)
    made.unlink()

    assert "HOST_UID is 4 in your environment, and should be 1000" in problems(
        project, env=project.env | {"HOST_UID": "4"}
    )
    # Not in the group that may use the engine
    options = project.as_user() | {"extra_groups": []}
    if not os.stat("/var/run/docker.sock").st_mode & stat.S_IWOTH:
        assert "sudo usermod -aG docker" in problems(project, **options)


def test_engines_that_are_not_there(project, tmp_path) -> None:
    assert "No engine answers at DOCKER_HOST=tcp://127.0.0.1:1" in problems(
        project, env=project.env | {"DOCKER_HOST": "tcp://127.0.0.1:1"}
    )
    for tool in ("sh", "dirname", "id", "ls", "awk", "sed", "readlink", "mktemp", "rm"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    assert "docker is not installed" in problems(project, env={"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            "echo 'cannot write: No space left on device'; exit 3",
            "ended with status 3: cannot write: No space left on device: free some disk space",
        ),
        (
            "echo '/data: Permission denied' >&2; exit 1",
            "ended with status 1: /data: Permission denied: its files may belong to another user",
        ),
        ("echo 'exec /bin/x: exec format error'; exit 255", "its image is for another processor"),
        ("echo one; echo two; exit 9", "ended with status 9: two: see docker compose logs mail"),
    ],
)
def test_services_that_are_not_up(project, command: str, words: str) -> None:
    override = project.path / "compose.override.yaml"
    override.write_text(f"services:\n  mail:\n    image: redis:8\n    command: {['sh', '-c', command]!r}\n")
    try:
        project.compose("up", "--detach", "mail")
        eventually(lambda: problems(project), lambda found: words in found, seconds=10)
    finally:
        project.compose("rm", "--force", "--stop", "mail")
        override.unlink()


def test_an_image_in_the_place_of_the_build(project) -> None:
    """The doctor looks at the image that runs, and not at that of a build which an override took away."""
    override = project.path / "compose.override.yaml"
    override.write_text("services:\n  app:\n    build: !reset null\n    image: absent.invalid/app:1\n")
    try:
        said = project.sh("--doctor", check=False).stdout
        assert "There is no image yet" in said
        override.write_text(override.read_text().replace("absent.invalid/app:1", f"{project.path.name}-app"))
        assert "There is no image yet" not in project.sh("--doctor", check=False).stdout
    finally:
        override.unlink()


def test_an_unhealthy_and_a_restarting_service_an_image_that_is_not_there_and_a_kernel_setting(project) -> None:
    override = project.path / "compose.override.yaml"
    override.write_text(f"""
services:
  sick:
    image: redis:8
    command: sh -c 'echo warming up; sleep 300'
    stop_signal: SIGKILL
    healthcheck: {{test: ["CMD", "false"], interval: 1s, retries: 1}}
    x-vm-max-map-count: {2**40}
  again:
    image: redis:8
    command: sh -c 'echo no way; exit 1'
    restart: always
  absent:
    image: registry.invalid/absent:1
""")
    try:
        project.compose("up", "--detach", "sick", "again")
        found = eventually(
            lambda: problems(project),
            lambda found: (
                "sick is unhealthy: warming up" in found and "again restarts again and again: no way" in found
            ),
        )
        assert "registry.invalid/absent:1, the image of absent, is missing: docker compose pull absent" in found
        assert "vm.max_map_count is too small for sick" in found
    finally:
        project.compose("rm", "--force", "--stop", "sick", "again")
        override.unlink()


def test_two_checkouts_under_one_name(project, start) -> None:
    other = start()
    env = other.env | {"COMPOSE_PROJECT_NAME": project.path.name}
    found = problems(other, env=env)
    assert (
        f"{project.path} has containers under the same name, {project.path.name}: write COMPOSE_PROJECT_NAME=" in found
    )


def test_networks_that_do_not_answer(project) -> None:
    settings = {
        "HTTPS_PROXY": "http://me:secret@192.0.2.1:3128",
        "UV_DEFAULT_INDEX": "http://127.0.0.1:1/simple",
        "APT_MIRROR": "mirror.example.com",
    }
    found = problems(project, env=project.env | settings)
    assert "HTTPS_PROXY is http://192.0.2.1:3128, which does not answer" in found and "secret" not in found
    assert "UV_DEFAULT_INDEX is http://127.0.0.1:1/simple, which in a container is the container itself" in found
    assert "APT_MIRROR is mirror.example.com: begin it with http" in found


SERVER = """
import http.server, socketserver, sys

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(400 if "400" in sys.argv and not self.headers["Host"].startswith("shop.test") else 200)
        self.end_headers()

class Binary(socketserver.BaseRequestHandler):
    # As a gRPC or TLS server does with what it does not understand
    def handle(self):
        self.request.recv(1)
        self.request.sendall(bytes(9))

handler = Binary if "binary" in sys.argv else Page
socketserver.TCPServer((sys.argv[1], 8000), handler).serve_forever()
"""


@pytest.fixture(scope="module")
def server(start_shared, tmp_path_factory: pytest.TempPathFactory) -> Project:
    code = tmp_path_factory.mktemp("server")
    (code / "main.py").write_text(SERVER)
    (code / "requirements.txt").write_text("# none\n")
    # No need to wait for a minute until it is unhealthy
    override = "services: {app: {healthcheck: {interval: 1s, start_period: 0s, retries: 2}}}\n"
    (code / "compose.override.yaml").write_text(override)
    return start_shared(code, starter="existing", entry_command="python main.py 0.0.0.0 # 8000")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("127.0.0.1", "The application listens on 127.0.0.1 in its container"),
        ("0.0.0.0 400", r"The application answers 400 to http://127.0.0.1:\d+: let it accept this host"),
        ("0.0.0.0 binary", ""),
        ("0.0.0.0", ""),
    ],
)
def test_how_the_application_answers(server: Project, arguments: str, said: str) -> None:
    server.set_env(CMD=f"'python main.py {arguments}'")
    result = server.compose("up", "--build", "--wait", check=False)
    assert (result.returncode == 0) == ("127" not in arguments)
    found = problems(server)
    assert re.search(said, found) if said else not found, found


def test_an_address_in_local_env_that_cannot_win(project: Project) -> None:
    settings = project.path / "data/local.env"
    settings.write_text("DATABASE_URL=postgresql+asyncpg://app:development@postgres/app\nOTHER=1\n")
    found = problems(project)
    assert "DATABASE_URL" in found and "compose.override.yaml" in found and "OTHER" not in found, found
    settings.unlink()


def test_another_python_than_the_project_pins(project: Project) -> None:
    pin = project.path / "app/.python-version"
    kept = pin.read_text()
    assert kept == "3.14\n" and not problems(project)
    pin.write_text("3.14.2\n")
    assert not problems(project)
    pin.write_text("3.1\n")
    assert "app/.python-version says 3.1, and the image has Python 3.14: " in problems(project)
    pin.write_text(kept)
