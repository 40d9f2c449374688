"""One row's truths, a module per noun."""

from .bridge import Bridge
from .folder import Folder
from .membership import Exclusion, Membership
from .outcome import RunOutcome
from .receiving_count import ReceivingCount
from .schedule import Schedule, ScheduleFiring
from .subscriber import Subscriber
from .suppression import Suppression
from .sync_run import CancelWish, RunProgress, SyncRequest, SyncRun
from .target_group import TargetGroup
from .writeback import Outbox, Writeback

__all__ = [
    "Bridge",
    "CancelWish",
    "Exclusion",
    "Folder",
    "Membership",
    "Outbox",
    "ReceivingCount",
    "RunOutcome",
    "RunProgress",
    "Schedule",
    "ScheduleFiring",
    "Subscriber",
    "Suppression",
    "SyncRequest",
    "SyncRun",
    "TargetGroup",
    "Writeback",
]
