"""The search box: what it finds for whom, by which words, and that nothing typed reaches an address."""

from __future__ import annotations

from django.test import Client

from mailings.models import Mailing
from tests.targetgroups.views.conftest import Rows, SignIn, text_of


def find(client: Client, text: str) -> str:
    return text_of(client.post("/search/", {"q": text}))


def test_it_finds_groups_people_runs_mailings_and_pages(rows: Rows, sign_in: SignIn) -> None:
    group = rows.group("Lamp lovers", member_count=1)
    run, person = rows.run(group), rows.member(group, "zoe@lamps.example", "Zoë", "Ångström")
    Mailing.objects.create(name="Spring lamps", subject="New light")
    client = sign_in()
    assert "Lamp lovers 1 subscribers" in find(client, "lovers lamp")
    assert "Zoë Ångström zoe@lamps.example" in find(client, "angstrom")
    assert person.remote_id in find(client, person.remote_id[:9].upper())
    for number in (str(run.pk), f"run {run.pk}", f"#{run.pk}"):
        assert f"Group sync {run.pk} Lamp lovers · Completed" in find(client, number)
    assert "Spring lamps Draft" in find(client, "light spring")
    assert "Subscribers > Sync Activity" in find(client, "sync act")


def test_the_newer_products_words_lead_to_the_pages(rows: Rows, sign_in: SignIn) -> None:
    client = sign_in()
    for typed, page in {
        "Contacts > Groups": "/target-groups/",
        "Messages > List": "/mailings/",
        "check bridge status": "/bridge-configuration/",
    }.items():
        assert f'href="{page}"' in client.post("/search/", {"q": typed}).content.decode().split("where-things")[0]
        assert "is here:" in find(client, typed)
    assert "also known as Contacts > Groups" in text_of(client.get("/search/"))


def test_nobody_finds_what_the_role_may_not_see(rows: Rows, sign_in: SignIn) -> None:
    rows.member(rows.group("Lamp lovers"), "zoe@lamps.example", "Zoë", "Lamp")
    Mailing.objects.create(name="Lamp news")
    found = find(sign_in("Subscribers"), "lamp")
    assert "Zoë Lamp" in found and "Lamp lovers" in found and "Lamp news" not in found
    assert "Bridge Configuration" not in find(sign_in("Reporter"), "bridge")
    nobody = sign_in("Publisher")
    from accounts.models import User

    User.objects.get(username="publisher").groups.clear()
    assert "Lamp" not in find(nobody, "zoe")


def test_what_is_typed_is_posted_and_stands_in_no_address(rows: Rows, sign_in: SignIn) -> None:
    rows.member(rows.group("Lamp lovers"), "zoe@lamps.example", "Zoë", "Lamp")
    client = sign_in()
    page = client.post(
        "/search/", {"q": "zoe@lamps.example"}, headers={"HX-Request": "true", "HX-Target": "search-hits"}
    )
    assert 'role="option"' in page.content.decode()
    assert "zoe" not in " ".join(part for part in page.content.decode().split('"') if part.startswith("/"))
    assert "zoe@" not in client.get("/search/?q=zoe@lamps.example").content.decode()


def test_nothing_found_says_by_what_one_finds(rows: Rows, sign_in: SignIn) -> None:
    assert "a run by its number" in find(sign_in(), "xyzzy")
