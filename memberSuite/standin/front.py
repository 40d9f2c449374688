"""The page a person sees who opens the stand-in's address."""
# ruff: noqa: E501 - markup reads better unbroken

from html import escape

from memberSuite.standin import data, truth
from memberSuite.standin.columns import Column, moment_text
from memberSuite.standin.faults import KINDS
from memberSuite.standin.world import World

STYLE = """:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1.5rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8886;vertical-align:top;overflow-wrap:anywhere}
code{font-size:.9em}dt{font-weight:600}dd{margin:0 0 .4rem 1rem}h2{margin-top:2rem}"""


def page(world: World, address: str) -> str:
    """Return the start page: what this is, its searches and the faults it can play."""
    return _whole(
        "Stand-in MemberSuite",
        f"<h1>Stand-in MemberSuite</h1><p>{escape(data.ASSOCIATION_NAME)}: {sum(world.population.alive):,} invented people, "
        f"seed {world.seed}. It speaks MemberSuite's two protocols and keeps everything in memory; nothing here is real.</p>"
        f"{_access(address)}<h2>Saved searches</h2>{_searches(world)}{_set_faults(world)}"
        f"<h2>Faults it can play</h2>{_kinds()}"
        "<p>The control API stands below <code>/control/</code>; <code>docs/standin.md</code> describes it.</p>",
    )


def record(world: World, remote_id: str) -> tuple[int, str]:
    """Return the page of a person's record, as a link in another program opens it, and its status."""
    row = world.population.find(remote_id)
    if row is None:
        said = f"<p>There is no record <code>{escape(remote_id[:100])}</code>, or it was deleted.</p>"
        return 404, _whole(
            "No such record", f'<h1>No such record</h1>{said}<p><a href="/">Stand-in MemberSuite</a></p>'
        )
    shown = [(column.name, _field(column, row)) for column in world.population.columns.values()]
    lines = (f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in shown)
    name = escape(_field(world.population.columns["name"], row))
    note = '<p>A record of the <a href="/">stand-in MemberSuite</a>: invented, like everybody here.</p>'
    return 200, _whole(f"{name} · Stand-in MemberSuite", f"<h1>{name}</h1>{note}<table>{''.join(lines)}</table>")


def _whole(title: str, main: str) -> str:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main>{main}</main></body></html>"
    )


def _field(column: Column, row: int) -> str:
    """Write a field as a person reads it; what is null is a dash."""
    value = column.value(row)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, tuple):
        return ", ".join(value)
    return moment_text(value) if column.kind == "moment" and isinstance(value, int) else str(value)


def _access(address: str) -> str:
    rows = [
        ("Concierge (SOAP)", f"{address}/"),
        ("Service description", f"{address}/mex"),
        ("Association ID", data.ASSOCIATION_ID),
        ("Access Key ID", data.ACCESS_KEY_ID),
        ("Secret Access Key", data.SECRET_ACCESS_KEY),
        ("REST", f"{address} (tenant {data.TENANT_ID})"),
        ("REST user and password", f"{data.API_USER} / {data.API_PASSWORD}"),
    ]
    lines = (f'<tr><th scope="row">{escape(n)}</th><td><code>{escape(v)}</code></td></tr>' for n, v in rows)
    return f"<table>{''.join(lines)}</table>"


def _searches(world: World) -> str:
    lines = []
    for search in world.catalogue.searches.values():
        said = truth.describe(search)
        marks = [
            "deleted" if said["is_deleted"] else "",
            "" if said["is_public"] else "private",
            "" if said["is_active"] else "inactive",
            "limited" if said["is_limited"] else "",
            "asks for a value" if said["needs_parameter"] else "",
            "organizations" if search.query.type != "Individual" else "",
        ]
        link = f'<a href="/control/searches/{search.id}/members">members</a>'
        state = ", ".join(filter(None, marks)) or "public"
        cells = (escape(search.name), escape(search.description or ""), state, f"<code>{search.id}</code>", link)
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Name", "Description", "State", "ID", "Truth"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _set_faults(world: World) -> str:
    found = world.faults.all()
    if not found:
        return "<h2>Faults now set</h2><p>None.</p>"
    lines = "".join(
        f"<li>{escape(f.operation)}: {escape(f.kind)}, struck {f.fired} of {f.seen} calls</li>" for f in found
    )
    return f"<h2>Faults now set</h2><ul>{lines}</ul>"


def _kinds() -> str:
    return f"<dl>{''.join(f'<dt><code>{escape(k)}</code></dt><dd>{escape(v)}</dd>' for k, v in KINDS.items())}</dl>"
