"""Imports modules, and what scripts import: imports.py MODULE|SCRIPT... If that fails, it prints which file to look at.

It imports nothing else unless that fails: the bytecode of each imported module ships.
"""

import importlib
import os
import sys

HERE = os.path.dirname(__file__)


def statements(script: str) -> list:
    """Return the statements of a Python script; none where it is another program."""
    with open(script, "rb") as file:
        source = file.read()
    if not script.endswith(".py") and b"python" not in source[:100]:
        return []
    # What ast.parse does, without its module
    return vars(compile(source, script, "exec", 0x400))["body"]


def import_script(script: str) -> None:
    """Import what a script imports whatever happens, and run nothing of it."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    for statement in statements(script):
        kind = type(statement).__name__
        if kind == "Import":
            for alias in statement.names:
                importlib.import_module(alias.name)
        elif kind == "ImportFrom" and not statement.level:
            module = importlib.import_module(statement.module)
            for alias in statement.names:
                if alias.name != "*" and not hasattr(module, alias.name):
                    importlib.import_module(f"{statement.module}.{alias.name}")


def unshipped(name: str) -> bool:
    """Tell whether unshipped.txt keeps this name at the top of the code out of images."""
    with open(f"{HERE}/unshipped.txt") as file:
        return f"/{name}\n" in file


def chain(error: BaseException | None) -> list[BaseException]:
    """Return an error and those that led to it."""
    found = []
    while error and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def advice(errors: list[BaseException]) -> str:
    """Return what to do about an error, and those that led to it."""
    import re
    import socket

    error, text = errors[0], " ".join(map(str, errors))
    if library := re.search(r"(\S+?): cannot open shared object file", text):
        sys.path.append(HERE)
        from libraries import missing

        needed = [
            f"{file} needs {name}.\n" for name, file in missing() if name == library[1]
        ]
        return f"{''.join(needed)}Add the package that has {library[1]} to the run section of build.sh."
    if isinstance(error, SyntaxError) or "cannot import name" in str(error):
        return ""
    if type(error).__name__ == "PackageNotFoundError":
        name = getattr(error, "name", "it")
        return f"If {name} is this project, install it: add . to the answer dependencies (such as `uv.lock .`). Else add it to the dependencies."
    if isinstance(error, ModuleNotFoundError):
        name = str(error.name)
        if unshipped(name):
            return f".drydock/build/unshipped.txt keeps {name} out of images. If it is code of this project, rename it."
        if re.search(r"(^|\.)(tests?|conftest|test_\w+|\w+_test)(\.|$)", name):
            return f"Production gets no tests. If {name} is more than tests, move what production needs to a module of another name."
        return "Add it to the dependencies. If it is code of this project, add its folder to the answer python_path."
    if isinstance(error, ImportError):
        return "If it wants a shared library, add the package that has it to the run section of build.sh."
    if any(isinstance(one, PermissionError) for one in errors) or re.search(
        "unable to open database file|[Rr]ead-only (file|database)", text
    ):
        return (
            "Production's user may not write to /app. Log to stdout; write files to /tmp, or to a volume. If it opens a"
            " database while it is imported, answer serve_imports with nothing."
        )
    if any(
        isinstance(one, (ConnectionError, socket.gaierror)) for one in errors
    ) or re.search(
        r"(?i)connection (to \S+ )?(refused|failed)|can't connect|could not (connect|translate host)|name or service not known|failed to resolve",
        text,
    ):
        return "No service runs while an image is built. Connect later than at import, or answer serve_imports with nothing."
    return (
        "If a setting is missing, put a placeholder for it into build.env. If it wants a library of the system, add its package"
        " to the run section of build.sh. If it needs more than a build has, answer serve_imports with nothing."
    )


def explain(error: BaseException, module: str) -> str:
    """Return where in the project an import failed, and what to do about it."""
    import traceback

    calls = traceback.extract_tb(error.__traceback__)
    own = [call.filename for call in calls if call.filename.startswith("/app/")]
    if isinstance(error, SyntaxError) and error.filename:
        own.append(error.filename)
    where = f"{os.path.relpath(own[-1], '/app')}: " if own else ""
    return (
        f"{where}production cannot import {module}: {type(error).__name__}: {error}\n"
        + advice(chain(error))
    )


if __name__ == "__main__":
    for module in sys.argv[1:]:
        try:
            if "/" in module or module.endswith(".py"):
                import_script(module)
            else:
                importlib.import_module(module)
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
            what = f"what {module} imports" if module.endswith(".py") else module
            sys.exit(explain(error, what))
