"""A small web application that loads what most of them load."""

import httpx
import psycopg
import redis
import sqlalchemy
from fastapi import FastAPI
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    database_url: str = "postgresql+psycopg://app@postgres/app"
    redis_url: str = "redis://redis"


settings = Settings()
engine = sqlalchemy.create_engine(settings.database_url)
cache = redis.Redis.from_url(settings.redis_url)
app = FastAPI()


@app.get("/")
async def index() -> dict[str, str]:
    return {"httpx": httpx.__version__, "psycopg": psycopg.__version__}
