from fastapi import FastAPI

app = FastAPI(title="{{ project_name }}")


@app.get("/")
async def index() -> dict[str, str]:
    return {"message": "Hello from {{ project_name }}"}


@app.get("/health")
async def health() -> dict[str, str]:
    """For probes: says that the process answers, and asks nobody else."""
    return {"status": "ok"}
