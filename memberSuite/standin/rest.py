"""The REST doors: sign-in, MSQL, people one by one and in lists, saved searches."""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import parse_qs
from uuid import uuid4

from memberSuite.standin import data, msql, play, records, running
from memberSuite.standin.errors import RemoteError
from memberSuite.standin.faults import Call, Firing
from memberSuite.standin.query import Output, Query
from memberSuite.standin.rest_write import camel, flat, plain
from memberSuite.standin.web import Request, Response
from memberSuite.standin.world import TOKEN_SECONDS, Entry, World

UNAUTHORIZED = "Authorization denied. Check Authorization token and Security settings for this user"
STATUSES = {"RecordNotFound": 404, "GeneralException": 500}
ALL_PEOPLE = Query("Individual", sort=(("LocalID", False), ("ID", False)))


@dataclass(frozen=True)
class Door:
    operation: str
    method: str
    path: re.Pattern[str]
    answer: "Callable[[Visit], object]"
    is_open: bool = False


class Unauthorized(Exception):
    pass


@dataclass
class Visit:
    """One REST call under way."""

    world: World
    request: Request
    key: str
    call: Call
    firing: Firing

    def json(self) -> Mapping[str, object]:
        try:
            found = json.loads(self.request.body.decode("utf-8-sig") or "{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RemoteError("IllegalParameter", "The body is not a JSON object.")
        return found


# -- signing in -----------------------------------------------------------------------------------------------------


def jwt(world: World, seconds: int = TOKEN_SECONDS) -> str:
    """Make a token that looks like the real one and dies when it says."""
    now = int(time.time())
    parts = (
        {"alg": "none", "typ": "JWT"},
        {"sub": data.API_USER_ID, "iat": now, "exp": now + seconds, "jti": str(uuid4())},
    )
    text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return world.tokens.make(f"{text}.c3RhbmQtaW4")


def _tokens(visit: Visit, *, allowed: bool) -> dict[str, str]:
    if visit.key != data.TENANT_ID:
        raise RemoteError("LoginInvalid", "Unknown association key.")
    if not allowed:
        raise RemoteError("LoginInvalid", "The user name or password is not valid.")
    return {"idToken": jwt(visit.world), "accessToken": jwt(visit.world), "refreshToken": f"r-{uuid4()}"}


def _is_user(given: Mapping[str, object], name: str = "username") -> bool:
    return (given.get(name), given.get("password")) == (data.API_USER, data.API_PASSWORD)


def login_user(visit: Visit) -> object:
    return {"success": True, "data": _tokens(visit, allowed=_is_user(visit.json(), "email"))}


def auth_data(visit: Visit) -> object:
    form = {name: values[-1] for name, values in parse_qs(visit.request.body.decode()).items()}
    return _tokens(visit, allowed=_is_user(form))


def auth_token(visit: Visit) -> object:
    return _tokens(visit, allowed=_is_user(visit.json()))["idToken"]


def key_login(visit: Visit) -> object:
    given = visit.json()
    wanted = (data.ACCESS_KEY_ID, data.ASSOCIATION_ID, data.SECRET_ACCESS_KEY)
    return _tokens(visit, allowed=tuple(map(given.get, ("accessKeyId", "associationId", "secretAccessKey"))) == wanted)


def who_am_i(_visit: Visit) -> object:
    nothing = dict.fromkeys(("ownerId", "membershipId", "receivesMemberBenefits"))
    return {
        "tenantId": int(data.TENANT_ID),
        "associationId": data.ASSOCIATION_ID,
        "userId": data.API_USER_ID,
        "email": data.API_USER,
        "firstName": "Api",
        "lastName": "User",
        **nothing,
        "username": data.API_USER,
    }


# -- reading --------------------------------------------------------------------------------------------------------


def execute_search(visit: Visit) -> object:
    statement = msql.parse(str(visit.json().get("msql") or ""))
    return {"success": True, "data": _rows(visit, statement, 0, running.MOST_ROWS)[0]}


def _rows(
    visit: Visit, statement: msql.Statement, start: int, limit: int
) -> tuple[list[dict[str, object]], int | None]:
    query = running.all_columns(visit.world, statement.query)
    if statement.shape != "columns":
        query = replace(query, columns=(Output("ID"),))
    answer = running.run_query(visit.world, visit.firing, query, start, limit)
    if statement.shape != "columns":
        return [_record(visit.world, str(row[0])) for row in answer.rows], answer.total
    names = [camel(name) for name in answer.names]
    kinds = answer.kinds
    rows = [{n: plain(v, k) for n, v, k in zip(names, row, kinds, strict=True)} for row in answer.rows]
    return rows, answer.total


def _record(world: World, wanted: str) -> dict[str, object]:
    row = world.population.find(wanted)
    if row is None:
        raise RemoteError("RecordNotFound", f"No record with id {wanted[:60]}.")
    return flat(records.person(world.population, row))


def _paging(visit: Visit) -> tuple[int, int]:
    try:
        page, size = int(visit.request.query.get("page", "1")), int(visit.request.query.get("pageSize", "100"))
    except ValueError:
        raise RemoteError("IllegalParameter", "page and pageSize must be numbers.") from None
    size = max(1, min(size, running.MOST_ROWS))
    return (max(1, page) - 1) * size, size


def _listed(visit: Visit, items: list[dict[str, object]], total: int | None) -> object:
    wrapped = visit.firing.find("enveloped")
    return {wrapped.text("in_", "results"): items, "totalCount": total} if wrapped else items


def individuals(visit: Visit) -> object:
    start, size = _paging(visit)
    text = visit.request.query.get("msql", "")
    query = msql.parse(text).query if text else ALL_PEOPLE
    if query.type.lower() != "individual":
        raise RemoteError("InvalidQuery", "Only individuals are listed here.")
    items, total = _rows(visit, msql.Statement("objects", query), start, size)
    return _listed(visit, items, total)


def individual(visit: Visit) -> object:
    return _record(visit.world, visit.key)


def put_individual(visit: Visit) -> object:
    given = {name: value for name, value in visit.json().items() if not name.endswith("__transient")}
    if str(given.get("id") or visit.key).lower() != visit.key.lower():
        raise RemoteError("IllegalParameter", "The record has another id than the address.", "id")
    if not visit.firing.has("changes_nothing"):
        with visit.world.engine.lock:
            records.save_person(visit.world.population, {**given, "id": visit.key}, visit.world.now())
    return _record(visit.world, visit.key)


def saved_searches(visit: Visit) -> object:
    start, size = _paging(visit)
    found = [flat(records.saved_search(search)) for search in visit.world.catalogue.current()]
    return _listed(visit, found[start : start + size], len(found))


# -- the doors ------------------------------------------------------------------------------------------------------

GUID = r"(?P<key>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})"
TENANT = r"(?P<key>\w+)"
DOORS = [
    Door("loginUser", "POST", re.compile(f"/platform/v2/loginUser/{TENANT}"), login_user, is_open=True),
    Door("authdata", "POST", re.compile(f"/platform/v2/authdata/{TENANT}"), auth_data, is_open=True),
    Door("authtoken", "POST", re.compile(f"/platform/v2/authtoken/{TENANT}"), auth_token, is_open=True),
    Door("msc_authdata", "POST", re.compile(f"/platform/v2/msc_authdata/{TENANT}"), key_login, is_open=True),
    Door("whoami", "GET", re.compile("/platform/v2/whoami(?P<key>)"), who_am_i),
    Door("executeSearch", "POST", re.compile("/platform/v2/dataSuite/executeSearch(?P<key>)"), execute_search),
    Door("individual", "GET", re.compile(f"/crm/v1/individuals/{GUID}"), individual),
    Door("putIndividual", "PUT", re.compile(f"/crm/v1/individuals/{GUID}"), put_individual),
    Door("individuals", "GET", re.compile(f"/crm/v1/individuals/{TENANT}"), individuals),
    Door("savedsearches", "GET", re.compile(f"/platform/v2/savedsearches/{TENANT}"), saved_searches),
]


def handle(world: World, request: Request) -> Response | None:
    """Answer a REST request, or None when no door has this path."""
    for door in DOORS:
        match = door.path.fullmatch(request.path.rstrip("/"))
        if match and door.method == request.method:
            call = Call(door.operation, soap=False)
            _describe(call, request)
            return play.play(world, call, partial(_answer, world, request, door, match["key"], call))
    return None


def _describe(call: Call, request: Request) -> None:
    """Tell queries apart for faults and the log; what can't be read is refused later."""
    try:
        if call.operation == "executeSearch":
            query = msql.parse(str(json.loads(request.body or b"{}").get("msql"))).query
        elif call.operation == "individuals" and request.query.get("msql"):
            query = msql.parse(request.query["msql"]).query
        else:
            return
    except (ValueError, AttributeError, RemoteError):
        return
    running.describe(
        call, query, int(request.query.get("pageSize", "2")) if request.query.get("pageSize", "2").isdigit() else 2
    )


def _answer(
    world: World, request: Request, door: Door, key: str, call: Call, firing: Firing, _entry: Entry
) -> Response:
    visit = Visit(world, request, key, call, firing)
    try:
        if not door.is_open:
            _admit(visit)
        play.business_error(firing)
        found = door.answer(visit)
    except Unauthorized:
        return Response(401, UNAUTHORIZED.encode())
    except RemoteError as error:
        body = {"code": error.number, "message": error.message, "offendingField": error.field, "id": str(uuid4())}
        status = 401 if error.code == "LoginInvalid" else STATUSES.get(error.code, 400)
        return _json(body, status)
    if firing.has("success_false"):
        return _json({"success": False, "data": None, "message": "The request could not be completed."})
    return _json(found)


def _admit(visit: Visit) -> None:
    scheme, _, rest = visit.request.header("authorization").strip().rpartition(" ")
    if visit.firing.has("token_dies") or visit.firing.has("session_expires"):
        visit.world.tokens.forget(rest)
    if rest not in visit.world.tokens or scheme.lower() not in ("", "bearer", "authtoken"):
        raise Unauthorized
    if visit.call.operation in ("individuals", "savedsearches") and visit.key != data.TENANT_ID:
        raise RemoteError("AccessDenied", "This user belongs to another association.")


def _json(body: object, status: int = 200) -> Response:
    return Response(status, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), play.JSON_TYPE)
