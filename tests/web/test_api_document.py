"""The interface for programs keeps to its document, whatever is sent: requests made from it find no failure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok

from newsletter import db
from newsletter.web.api import tokens
from newsletter.web.api.tokens import Scope
from tests.web.conftest import Desk, served

#: Of each operation, and the same in each run; few, as each is a request over HTTP.
EXAMPLES = 4


@pytest.fixture
def program(desk: Desk) -> Iterator[tuple[str, str]]:
    """Return the address of a desk that answers, and a token for everything."""
    with db.transaction(desk.engine) as session:
        secret = tokens.create(session, "fuzz", scopes=list(Scope), actor="kim", now=datetime.now(desk.now.tzinfo))[1]
    with served(desk.settings, desk.engine) as address:
        yield address, secret


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_request_of_the_document_finds_a_failure(program: tuple[str, str]) -> None:
    address, secret = program
    document = httpx2.get(f"{address}/api/v1/openapi.json").json()
    document.pop("servers", None)
    schema = schemathesis.openapi.from_dict(document)
    load_all_checks()
    names = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
    checks: Any = [CHECKS.get_one(name) for name in names]
    shown = {"Authorization": f"Bearer {secret}"}
    tried = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=found.ok().as_strategy())
        def hold(case: schemathesis.Case[Any]) -> None:
            nonlocal tried
            tried += 1
            answer = case.call(base_url=f"{address}/api/v1", headers=shown)
            case.validate_response(answer, checks=checks)

        hold()
    assert tried > 20
