"""Identity: whoever works on the host is the user inside, and owns what is made there."""

import os
import subprocess

from project import FIRST_USER

WHO = """
import getpass, os
home = os.path.expanduser("~")
open(f"{home}/mine", "w").close()
print(getpass.getuser(), home)
"""
APPLICATION = """
@app.get("/touch")
def touch() -> None:
    open("by-the-application", "w").close()
"""


def test_every_file_belongs_to_who_works_on_the_host(start) -> None:
    project = start()
    with (project.path / "app/api/main.py").open("a") as file:
        file.write(APPLICATION)
    project.write_sections(dev="apt_install git")
    project.run("git", "init", "--quiet", "app", **project.as_user())
    project.compose("build")
    for user in (FIRST_USER, 1001, 12345, 0) if not os.getuid() else (os.getuid(),):
        # ./sh finds the ids by itself; a plain `docker compose` is told
        alone = project.as_user(user)
        me = alone | {"env": alone["env"] | {"HOST_UID": str(user), "HOST_GID": str(user)}}

        project.sh("touch", "by-a-first-sh", **alone)
        project.compose("up", "--wait", **me)
        project.get("/touch")
        project.sh("touch", "by-sh", **alone)
        project.compose("exec", "-T", "app", "touch", "by-exec", **me)
        project.compose("run", "--rm", "-T", "app", "touch", "by-run", **me)
        made = {path.name: path.stat().st_uid for path in (project.path / "app").glob("by-*")}
        assert made == dict.fromkeys(["by-a-first-sh", "by-the-application", "by-sh", "by-exec", "by-run"], user)
        foreign = subprocess.run(
            ["find", project.path, "!", "-uid", str(user)], capture_output=True, text=True, check=True
        ).stdout
        assert not foreign

        name = "root" if user == 0 else "app"
        for words in (["exec", "-T"], ["run", "--rm", "-T"]):
            assert project.compose(*words, "app", "python", "-c", WHO, **me).stdout == f"{name} /home/app\n"
        assert "by-exec" in project.sh("git", "status", "--short", **alone).stdout
        assert "by-exec" in project.sh("--root", "git", "status", "--short", **alone).stdout
        # To try a package, and to try another version of one that is there
        project.sh("pip", "install", "--quiet", "--root-user-action=ignore", "six", "idna==3.10", **alone)
        project.sh("uv", "pip", "install", "--quiet", "idna==3.9", **alone)
        assert project.sh("python", "-c", "import six, idna; print(idna.__version__)", **alone).stdout == "3.9\n"
        assert project.sh("python", "-m", "pip", "--version", **alone).stdout.startswith("pip ")
        for path in (project.path / "app").glob("by-*"):
            path.unlink()
        project.compose("down")
