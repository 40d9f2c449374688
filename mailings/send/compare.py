"""After the resync and before the freeze: is this still the list that the sender reviewed?"""

from django.conf import settings

from ..choices import StopCode
from ..exceptions import StopMailing
from ..models import Mailing
from ..reviewed import Limits, Numbers, has_moved


def approve(mailing: Mailing, count: int) -> None:
    """Keep how many would receive the mailing now. Raises StopMailing, with the numbers, if that moved too far."""
    groups = mailing.groups.select_related("target_group__receiving")
    found = Numbers.of(groups, count)
    if mailing.reviewed is not None:
        reviewed = Numbers.of_json(mailing.reviewed)
        limits = Limits(settings.MAILING_MOVED_PERCENT, settings.MAILING_MOVED_PEOPLE)
        if has_moved(reviewed, found, limits):
            raise StopMailing(StopCode.LIST_MOVED, _sentence(reviewed, found), found=found.as_json())
    Mailing.objects.filter(pk=mailing.pk).update(found=found.as_json())


def _sentence(reviewed: Numbers, found: Numbers) -> str:
    if not found.most:
        return "Nobody would receive it any more. Nothing was sent. Look at who left, or choose other groups."
    now = f"It would go to {found.most:,} {'person' if found.most == 1 else 'people'} now"
    was = f"{reviewed.most:,}" if reviewed.least == reviewed.most else f"{reviewed.least:,} to {reviewed.most:,}"
    known = f"; it was {was} when it was reviewed" if reviewed.is_known else ", and a group moved since it was reviewed"
    return f"{now}{known}. Nothing was sent. Look at who came and who left, then decide."
