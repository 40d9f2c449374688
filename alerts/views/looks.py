"""How alerts look: a word with an icon, never a colour alone."""

from ..choices import AlertKind

# kind -> (tone, icon)
LOOKS = {
    AlertKind.UNREACHABLE: ("bad", "plug"),
    AlertKind.FAILED: ("bad", "x-circle-fill"),
    AlertKind.HELD: ("warn", "pause-circle-fill"),
    AlertKind.STALLED: ("warn", "cloud-slash"),
    AlertKind.SHRUNK: ("warn", "arrow-down"),
    AlertKind.MAILING: ("warn", "envelope-exclamation"),
}
