"""docs/openapi.yaml is what the code makes, and the code answers as it says, whatever it is asked."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


def made() -> str:
    document: Any = SchemaGenerator().get_schema(request=None, public=True)
    return OpenApiYamlRenderer().render(document, renderer_context={}).decode()


@pytest.mark.django_db
def test_the_document_is_what_the_code_makes() -> None:
    difference = list(difflib.unified_diff(DOCUMENT.read_text().splitlines(), made().splitlines(), lineterm="", n=1))
    assert not difference, "manage.py spectacular --file docs/openapi.yaml\n" + "\n".join(difference[:40])
