"""After the resync and before the freeze: is this still the list that the sender reviewed?"""

from django.conf import settings
from django.utils.translation import gettext, ngettext

from thrive_sync.lib.words import number

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
        return gettext("Nobody would receive it any more. Nothing was sent. Look at who left, or choose other groups.")
    if reviewed.is_known:
        sentence = ngettext(
            "It would go to %(count)s person now; it was %(before)s when it was reviewed. Nothing was sent. Look at "
            "who came and who left, then decide.",
            "It would go to %(count)s people now; it was %(before)s when it was reviewed. Nothing was sent. Look at "
            "who came and who left, then decide.",
            found.most,
        )
        return sentence % {"count": number(found.most), "before": reviewed.words}
    sentence = ngettext(
        "It would go to %(count)s person now, and a group moved since it was reviewed. Nothing was sent. Look at who "
        "came and who left, then decide.",
        "It would go to %(count)s people now, and a group moved since it was reviewed. Nothing was sent. Look at who "
        "came and who left, then decide.",
        found.most,
    )
    return sentence % {"count": number(found.most)}
