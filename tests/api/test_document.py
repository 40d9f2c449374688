"""docs/openapi.yaml is what the code makes, and the code answers as it says, whatever it is asked."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
import yaml
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import Desk, Programs, Rows

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


def made() -> str:
    document: Any = SchemaGenerator().get_schema(request=None, public=True)
    return OpenApiYamlRenderer().render(document, renderer_context={}).decode()


@pytest.mark.django_db
def test_the_document_is_what_the_code_makes() -> None:
    difference = list(difflib.unified_diff(DOCUMENT.read_text().splitlines(), made().splitlines(), lineterm="", n=1))
    assert not difference, "manage.py spectacular --file docs/openapi.yaml\n" + "\n".join(difference[:40])


# --- what the code answers ------------------------------------------------------------------------------------------

# Few examples and always the same ones: what a minute finds in here, the next one finds too.
EXAMPLES = 3
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
document = schemathesis.openapi.from_dict(yaml.safe_load(DOCUMENT.read_text()))
document.app = get_wsgi_application()


@pytest.fixture
def token(rows: Rows, desk: Desk, program: Programs, settings: Any) -> Iterator[str]:
    """A token that may everything, and one thing of each kind behind the number 1 or near it."""
    settings.API_REQUESTS_PER_MINUTE = 10_000
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False
    group = rows.group("Members", member_count=3)
    rows.member(group, "ada@lamps.example", "Ada", "Lovelace")
    rows.run(group, "held", figures={"would_remove": 1})
    desk.frozen(group, sent=2)
    desk.mailing(group)
    # As Django's own test client does: the end of a request closes no connection, for the test's transaction is on it.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield program().text
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@document.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
@pytest.mark.django_db
def test_every_call_answers_as_the_document_says(case: Any, token: str) -> None:
    case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})
