"""The variables under which the tests and their servers run, whatever the operator's .env says.

Only a DATABASE_URL that was given to this very run counts.
"""

import os
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

os.environ.update(
    SECRET_KEY=secrets.token_urlsafe(50),
    DEBUG="false",
    HOST="127.0.0.1",
    WORKERS="1",  # tests and servers share the cores already
    PORT="8000",
    SITE_URL="http://127.0.0.1:8000",
    SITE_NAME="Yarle Almanac",
    SITE_DESCRIPTION="A reference work on the valley of the Yarle, its mills and its markets.",
    SITE_LANGUAGE="en",
    LICENCE_NAME="Yarle Commons Licence",
    LICENCE_URL="https://licence.example/yarle/",
    LICENCE_TERMS="Copy them, and name the almanac.",
    BASE_MAP="europe",
    CONTACT_EMAIL="",
    EMAIL_URL="",
    TRUSTED_PROXIES="",
    TIME_ZONE="UTC",
)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{ROOT / 'var' / 'db.sqlite3'}")
# Playwright keeps an event loop in the thread of the tests, which Django would take for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# What all databases of a run are named by; its other processes inherit it.
RUN = os.environ.setdefault("RUN_OF_TESTS", f"rlm_tests_{secrets.token_hex(4)}")


def environment(database_url: str, port: int) -> dict[str, str]:
    """Return the variables of a process that works on this database and is reached at this port."""
    return {**os.environ, "DATABASE_URL": database_url, "PORT": str(port), "SITE_URL": f"http://127.0.0.1:{port}"}
