{% from 'include/asked.jinja' import asked with context %}
{% if asked %}
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
{% endif %}
from logging.config import dictConfig

from fastapi import FastAPI{{ ', Response' if asked }}
from fastapi.responses import PlainTextResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api import logs{{ ', services' if asked }}

dictConfig(logs.CONFIG)


class Trace:
    """Let the log entries of a request have its trace."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            logs.trace.set(logs.trace_id(Headers(scope=scope)))
        await self.app(scope, receive, send)

{% if asked %}

@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    services.check_settings()
    yield
    # After the last request: close what was opened

{% endif %}

app = FastAPI(title="{{ project_name }}"{{ ', lifespan=lifespan' if asked }})
app.add_middleware(Trace)


@app.get("/")
async def index() -> dict[str, str]:
    return {"message": "Hello from {{ project_name }}"}


@app.get("/health", response_class=PlainTextResponse)
async def health() -> str:
    """Answer probes without asking any other service."""
    return "Healthy"


@app.get("/ready", response_class=PlainTextResponse)
{% if asked %}
def ready(response: Response) -> str:
    """Tell whether the services answer."""
    if names := services.unready():
        response.status_code = 503
        return f"No answer: {', '.join(names)}"
    return "Ready"
{% else %}
async def ready() -> str:
    """Ask here what the application cannot work without, such as a database."""
    return "Ready"
{% endif %}
