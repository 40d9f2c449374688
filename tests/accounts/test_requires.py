"""A view runs only for who has the permission."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from accounts import permissions
from accounts.decorators import requires
from accounts.models import User


@requires(permissions.VIEW_GROUPS, permissions.SYNC)
def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ran")


def test_an_anonymous_person_goes_to_the_sign_in_page_and_back(rf: RequestFactory) -> None:
    request = rf.get("/target-groups/?folder=2")
    request.user = AnonymousUser()
    response = view(request)
    assert response.status_code == 302
    assert response["Location"].endswith("?next=/target-groups/%3Ffolder%3D2")


def test_after_a_refused_post_sign_in_does_not_lead_to_a_get_of_its_address(rf: RequestFactory) -> None:
    request = rf.post("/target-groups/1/resync/")
    request.user = AnonymousUser()
    assert view(request)["Location"].endswith("?next=/")


def test_a_polled_part_sends_the_whole_page_to_sign_in(rf: RequestFactory) -> None:
    address = "http://testserver/target-groups/7/"
    request = rf.get("/target-groups/7/sync/", headers={"HX-Request": "true", "HX-Current-URL": address})
    request.user = AnonymousUser()
    response = view(request)
    assert response.status_code == 401
    assert response["HX-Redirect"].endswith("?next=/target-groups/7/")


@pytest.mark.django_db
def test_a_person_without_one_of_the_permissions_is_told_which(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = User.objects.create_user("ann")
    request.user.groups.add(Group.objects.get(name="Reporter"))
    with pytest.raises(PermissionDenied, match="start and cancel syncs"):
        view(request)


@pytest.mark.django_db
def test_a_person_with_all_of_them_gets_the_page(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = User.objects.create_user("ann")
    request.user.groups.add(Group.objects.get(name="Subscribers"))
    assert view(request).content == b"ran"
