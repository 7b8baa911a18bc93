from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI(title="{{ project_name }}")


@app.get("/")
async def index() -> dict[str, str]:
    return {"message": "Hello from {{ project_name }}"}


@app.get("/health", response_class=PlainTextResponse)
async def health() -> str:
    """Answer probes without asking any other service."""
    return "Healthy"
