from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "Hello from {{ project_name }}\n"


@app.get("/health")
def health() -> dict[str, str]:
    """For probes: says that the process answers, and asks nobody else."""
    return {"status": "ok"}
