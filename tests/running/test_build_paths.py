"""Internal libraries outside the application's folder: importable everywhere by the same name, as at home."""

from pathlib import Path

import pytest

MAIN = "import helpers\nimport common.money\n\nif __name__ == '__main__':\n    print(helpers.NAME, common.money.NAME)\n"
FILES = {
    "shop/main.py": MAIN,
    "helpers/__init__.py": "NAME = 'beside'\n",
    "libs/common/src/common/__init__.py": "",
    "libs/common/src/common/money.py": "NAME = 'under libs'\n",
    "tests/test_main.py": "import main\n\n\ndef test_names():\n    assert main.helpers.NAME + main.common.money.NAME == 'besideunder libs'\n",
    "requirements.txt": "# none\n",
    "requirements-test.txt": "pytest\n",
}


@pytest.mark.parametrize("folder", [".", "backend"])
def test_libraries_beside_the_application(start, tmp_path: Path, folder: str) -> None:
    for name, text in FILES.items():
        file = tmp_path / "code" / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    project = start(
        tmp_path / "code",
        starter="existing",
        project_dir=folder,
        python_path=". shop libs/common/src",
        test_dependencies="requirements-test.txt",
        serve_command="python -m main",
    )
    tag, result = project.build("--no-cache-filter", "tests")
    assert "1 passed" in result.stderr
    assert project.run("docker", "run", "--rm", tag).stdout == "beside under libs\n"

    # In a one-off container and in the running one, from any folder, and in the tests beside the services
    for _ in range(2):
        assert project.sh("python", "-m", "main").stdout == "beside under libs\n"
        inside = project.sh(
            "python",
            "-c",
            "import common.money, os; print(common.money.__file__, os.getcwd())",
            cwd=project.path / folder / "libs",
        )
        assert inside.stdout.split() == ["/app/libs/common/src/common/money.py", "/app/libs"]
        project.up()
    assert "1 passed" in project.compose("run", "--rm", "tests").stdout
    assert (
        project.compose("exec", "app", "pwd").stdout
        == project.run("docker", "run", "--rm", tag, "pwd").stdout
        == "/app\n"
    )
