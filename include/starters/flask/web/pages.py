from flask import Blueprint

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> str:
    return "Hello from {{ project_name }}\n"


@blueprint.get("/health")
def health() -> str:
    """Answer probes without asking any other service."""
    return "Healthy"
