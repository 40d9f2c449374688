"""The Concierge door: one method for each operation, dispatched on SOAPAction."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from memberSuite.standin import data, msql, names, play, records, running, soap_read, soap_write, twists
from memberSuite.standin.auth import is_signed
from memberSuite.standin.errors import RemoteError
from memberSuite.standin.faults import Call, Firing
from memberSuite.standin.query import Answer, Output, Query
from memberSuite.standin.web import Request, Response
from memberSuite.standin.world import Entry, World

OPERATIONS = ("WhoAmI", "ExecuteMSQL", "ExecuteSearch", "Get", "Save", "MassUpdate")
NO_RESULT = {"nil": soap_write.NIL_RESULT, "absent": "", "childless": "<a:ResultValue/>"}


def handle(world: World, request: Request) -> Response:
    """Answer one SOAP request."""
    action = request.header("soapaction").strip().strip('"')
    operation = action.removeprefix(names.ACTION_PREFIX)
    try:
        soap = soap_read.parse(request.body)
    except soap_read.NotSoap:
        return _fault("The message could not be read.")
    if operation not in OPERATIONS or not action.startswith(names.ACTION_PREFIX):
        return _fault(f"The message with Action '{action[:100]}' cannot be processed at the receiver.")
    turn = Turn(world, action, operation, soap)
    try:
        turn.read()
    except RemoteError as error:
        turn.refused = error
    except ValueError:
        return _fault("The formatter threw an exception while trying to deserialize the message.")
    return play.play(world, turn.call, turn.answer)


def _fault(text: str) -> Response:
    return Response(500, soap_write.fault(text).encode(), play.XML_TYPE)


class Turn:
    """One call: read first, so that faults know what it is, then answered."""

    def __init__(self, world: World, action: str, operation: str, soap: soap_read.SoapRequest) -> None:
        self.world, self.action, self.soap = world, action, soap
        self.session = (soap.header.get("SessionId") or "").strip() or None
        self.call = Call(operation, session=self.session)
        self.detail: dict[str, object] = {}
        self.refused: RemoteError | None = None
        self.query = Query("")
        self.shape: msql.Shape = "columns"
        self.start, self.limit = 0, running.MOST_ROWS

    # -- reading ------------------------------------------------------------------------------------------------

    def read(self) -> None:
        body = self.soap.body
        if body is None or self.call.operation not in ("ExecuteSearch", "ExecuteMSQL"):
            return
        self.start = max(0, int(self._text("startRecord") or 0))
        self.limit = min(
            running.MOST_ROWS, max(0, int(self._text("maximumNumberOfRecordsToReturn") or running.MOST_ROWS))
        )
        self.detail = {"start": self.start, "limit": self.limit}
        if self.call.operation == "ExecuteMSQL":
            statement = msql.parse(self._text("msqlStatement") or "")
            self.query, self.shape = statement.query, statement.shape
            running.describe(self.call, self.query, self.limit)
            return
        element = soap_read.named(body, "searchToExecute")
        if element is None or soap_read.is_nil(element):
            raise RemoteError("IllegalParameter", "searchToExecute is missing.", "searchToExecute")
        found = soap_read.read_search(element)
        self.query = found.query
        if found.skipped:
            self.detail["skipped"] = found.skipped
        running.describe(self.call, self.query, self.limit)
        search = self.world.catalogue.by_definition(self.query.where, self.query)
        self.call.search_id = search.id if search else None

    def _text(self, name: str) -> str | None:
        return None if self.soap.body is None else soap_read.text_of(soap_read.named(self.soap.body, name))

    # -- answering ----------------------------------------------------------------------------------------------

    def answer(self, firing: Firing, entry: Entry) -> Response:
        entry.detail.update(self.detail)
        entry.signature_valid = is_signed(self.action, self.soap.header)
        operation = self.call.operation
        try:
            self._admit(firing, signed=entry.signature_valid)
            if self.refused:
                raise self.refused
            inner = self._result(firing)
            error: list[RemoteError] = []
        except RemoteError as refusal:
            inner, error = soap_write.NIL_RESULT, [refusal]
            entry.detail["code"] = refusal.code
        body = soap_write.result(operation, inner, error)
        if firing.has("failure_without_errors"):
            body = soap_write.result(operation, soap_write.NIL_RESULT, success=False)
        text = soap_write.envelope(self._session_for_reply(firing, error), self.soap.header.get("BrowserId"), body)
        return Response(200, text.encode(), play.XML_TYPE)

    def _admit(self, firing: Firing, *, signed: bool) -> None:
        if not signed:
            raise RemoteError("InvalidAccessKey")
        if firing.has("session_expires"):
            self.world.sessions.forget(self.session)
            raise RemoteError("SessionExpired")
        if self.session and self.session not in self.world.sessions and self.call.operation != "WhoAmI":
            raise RemoteError("SessionExpired")
        play.business_error(firing)

    def _session_for_reply(self, firing: Firing, errors: list[RemoteError]) -> str | None:
        if any(error.code in ("InvalidAccessKey", "SessionExpired") for error in errors):
            return None
        if self.session and self.session in self.world.sessions and not firing.has("new_session"):
            return self.session
        self.session = self.world.sessions.make()
        return self.session

    def _result(self, firing: Firing) -> str:
        doors: Mapping[str, Callable[[Firing], str]] = {
            "WhoAmI": self.who_am_i,
            "ExecuteMSQL": self.execute_msql,
            "ExecuteSearch": self.execute_search,
            "Get": self.get,
            "Save": self.save,
            "MassUpdate": self.mass_update,
        }
        inner = doors[self.call.operation](firing)
        if nothing := firing.find("success_without_result"):
            return NO_RESULT.get(nothing.text("empty", "nil"), soap_write.NIL_RESULT)
        return inner

    def who_am_i(self, _firing: Firing) -> str:
        if not self.session or self.session not in self.world.sessions:
            self.session = self.world.sessions.make()
        association = soap_write.record(
            "Association", [("ID", "text", data.ASSOCIATION_ID), ("Name", "text", data.ASSOCIATION_NAME)]
        )
        user = soap_write.record("AssociationUser", [("ID", "text", data.API_USER_ID), ("Name", "text", "Api User")])
        types = f'xmlns:b="{names.TYPES}"'
        return (
            f"<a:ResultValue><a:Association {types}>{association}</a:Association>"
            f"<a:SessionID>{self.session}</a:SessionID><a:User {types}>{user}</a:User></a:ResultValue>"
        )

    def run(self, firing: Firing, query: Query) -> Answer:
        return running.run_query(self.world, firing, query, self.start, self.limit)

    def execute_search(self, firing: Firing) -> str:
        inner = search_result(self.run(firing, self.query), firing)
        return f"<a:ResultValue>{inner}</a:ResultValue>"

    def execute_msql(self, firing: Firing) -> str:
        objects = table = single = None
        if self.shape == "columns":
            answer = self.run(firing, running.all_columns(self.world, self.query))
            table = search_result(answer, firing) if answer.rows else None
        else:
            self.limit = 1 if self.shape == "object" else self.limit
            answer = self.run(firing, replace(self.query, columns=(Output("ID"),)))
            types = f'xmlns:b="{names.TYPES}"'
            found = [record_xml(self.world, str(row[0])) for row in answer.rows]
            if found and self.shape == "object":
                single = found[0]
            elif found:
                listed = "".join(f"<b:MemberSuiteObject>{one}</b:MemberSuiteObject>" for one in found)
                objects = f"<a:Objects {types}>{listed}</a:Objects><a:TotalRowCount>{answer.total}</a:TotalRowCount>"
        parts = (
            ("ObjectSearchResult", objects, ""),
            ("SearchResult", table, ""),
            ("SingleObject", single, f' xmlns:b="{names.TYPES}"'),
        )
        written = "".join(
            f'<a:{n} i:nil="true"/>' if inner is None else f"<a:{n}{ns}>{inner}</a:{n}>" for n, inner, ns in parts
        )
        return f"<a:ResultValue>{written}</a:ResultValue>"

    def get(self, firing: Firing) -> str:
        twists.disturb(self.world, firing)
        return record_value(record_xml(self.world, self._text("id") or ""))

    def save(self, firing: Firing) -> str:
        element = None if self.soap.body is None else soap_read.named(self.soap.body, "objectToSave")
        if element is None:
            raise RemoteError("IllegalParameter", "objectToSave is missing.", "objectToSave")
        class_type, fields = soap_read.read_record(element)
        if class_type.lower() != "individual":
            raise RemoteError("AccessDenied", f"{class_type[:60]} can't be saved by this user.")
        population = self.world.population
        if firing.has("changes_nothing"):
            return record_value(record_xml(self.world, str(fields.get("ID") or "")))
        with self.world.engine.lock:
            row = records.save_person(population, fields, self.world.now())
        return record_value(soap_write.record("Individual", records.person(population, row), "Entity"))

    def mass_update(self, firing: Firing) -> str:
        body = self.soap.body
        element = None if body is None else soap_read.named(body, "msoNewValues")
        if body is None or element is None:
            raise RemoteError("IllegalParameter", "msoNewValues is missing.", "msoNewValues")
        if (self._text("recordType") or "").lower() != "individual":
            raise RemoteError("AccessDenied", "Only individuals can be updated by this user.")
        ids = [
            soap_read.text_of(child) or ""
            for child in soap_read.children_of(soap_read.named(body, "recordIdentifiers"))
        ]
        rows = [row for row in map(self.world.population.find, ids) if row is not None]
        if len(rows) < len(ids):
            raise RemoteError("RecordNotFound", "One of the records could not be found.")
        _, fields = soap_read.read_record(element)
        if not firing.has("changes_nothing"):
            with self.world.engine.lock:
                for row in rows:
                    records.change_person(self.world.population, row, fields, self.world.now())
        return ""


def record_value(inner: str) -> str:
    return f'<a:ResultValue xmlns:b="{names.TYPES}">{inner}</a:ResultValue>'


def record_xml(world: World, wanted: str) -> str:
    """Return the inside of any record by its ID; RemoteError RecordNotFound."""
    if (search := world.catalogue.get(wanted)) is not None:
        return soap_write.record("SavedSearch", records.saved_search(search))
    if (row := world.population.find(wanted)) is not None:
        return soap_write.record("Individual", records.person(world.population, row), "Entity")
    if (row := records.find_organization(world.engine, wanted)) is not None:
        return soap_write.record("Organization", records.organization(world.engine, row), "Entity")
    raise RemoteError("RecordNotFound", f"No record with id {wanted[:60]}.")


def search_result(answer: Answer, firing: Firing) -> str:
    if not answer.rows and firing.has("table_nil"):
        total = "" if answer.total is None else f"<a:TotalRowCount>{answer.total}</a:TotalRowCount>"
        head = '<a:ColumnMetadata/><a:ID i:nil="true"/><a:SearchManifest i:nil="true"/><a:Table i:nil="true"/>'
        return f"{head}{total}<a:Type>{soap_write.escape(answer.type)}</a:Type>"
    if firing.has("document_element"):
        return soap_write.search_result(answer, schema=False, root="DocumentElement")
    return soap_write.search_result(answer)
