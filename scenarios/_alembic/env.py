"""Runs the revisions on one connection, each in a transaction of its own.

DATABASE_URL  the database, as postgresql://...
DRIVER        psycopg (default), psycopg_async or asyncpg
TIMEOUTS      how lock_timeout, statement_timeout and idle_in_transaction_session_timeout are set:

  none     not at all (default)
  local    SET LOCAL at the start of each transaction
  session  SET on the connection, committed before the first revision
  outer    SET on the connection and not committed: SQLAlchemy began a transaction for the SETs,
           Alembic takes it for the caller's, begins and commits none of its own, and refuses
           autocommit blocks

PGAUNTLET_LOCK_TIMEOUT_MS, PGAUNTLET_STATEMENT_TIMEOUT_MS and
PGAUNTLET_IDLE_IN_TRANSACTION_SESSION_TIMEOUT_MS say how long; one that is missing is not set.
"""

import asyncio
import logging
import os
import sys

from alembic import context
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

SETTINGS = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"]


def choice(name, *values):
    """The environment variable's value, which is the first one by default."""
    value = os.environ.get(name, values[0])
    if value not in values:
        sys.exit(f"{name} is {value!r}, which is none of {', '.join(values)}")
    return value


def database(driver):
    if "DATABASE_URL" not in os.environ:
        sys.exit("DATABASE_URL is not set; it names the database, as postgresql://...")
    return make_url(os.environ["DATABASE_URL"]).set(drivername=f"postgresql+{driver}")


def timeouts():
    """The settings that have a value in the environment, in milliseconds."""
    given = {name: os.environ.get(f"PGAUNTLET_{name.upper()}_MS") for name in SETTINGS}
    return {name: int(ms) for name, ms in given.items() if ms is not None}


def set_timeouts(connection, command):
    for name, ms in timeouts().items():
        connection.exec_driver_sql(f"{command} {name} = {ms}")


def set_local_timeouts(connection):
    # An autocommit block begins too, for SQLAlchemy's books only; SET LOCAL would warn there.
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        set_timeouts(connection, "SET LOCAL")


def migrate(connection):
    scope = choice("TIMEOUTS", "none", "local", "session", "outer")
    if scope == "local":
        event.listen(connection, "begin", set_local_timeouts)
    elif scope == "session":
        set_timeouts(connection, "SET")
        connection.commit()
    elif scope == "outer":
        set_timeouts(connection, "SET")
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def migrate_sync(url):
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        migrate(connection)


async def migrate_async(url):
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)


# What alembic is doing, "Running upgrade ... -> ...", goes to stderr.
logging.basicConfig(format="%(levelname)s %(message)s")
logging.getLogger("alembic").setLevel(logging.INFO)
driver = choice("DRIVER", "psycopg", "psycopg_async", "asyncpg")
if driver == "psycopg":
    migrate_sync(database(driver))
else:
    asyncio.run(migrate_async(database(driver)))
