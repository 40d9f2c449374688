"""How alerts look: a word with an icon, never a colour alone."""

from ..choices import AlertKind, DeliveryState

# kind -> (tone, icon)
LOOKS = {
    AlertKind.UNREACHABLE: ("bad", "plug"),
    AlertKind.FAILED: ("bad", "x-circle-fill"),
    AlertKind.HELD: ("warn", "pause-circle-fill"),
    AlertKind.STALLED: ("warn", "cloud-slash"),
    AlertKind.SHRUNK: ("warn", "arrow-down"),
    AlertKind.MAILING: ("warn", "envelope-exclamation"),
    AlertKind.WEBHOOK: ("bad", "box-arrow-up-right"),
}
DELIVERY_LOOKS = {
    DeliveryState.WAITING: ("quiet", "hourglass-split"),
    DeliveryState.DELIVERED: ("ok", "check-circle-fill"),
    DeliveryState.FAILED: ("bad", "x-circle-fill"),
}
