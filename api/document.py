"""What docs/openapi.yaml says beyond the serializers: who may call what, which refusals there are, how to repeat."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from accounts.permissions import RIGHTS

from .idempotency import HEADER, LONGEST
from .problems import CONTENT_TYPE
from .resources.parts import Problem
from .views.base import ApiView

_ALWAYS = (400, 401, 403, 404, 405, 406, 413, 415, 429, 500)
_OF_ACTIONS = (409, 422)


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "api.access.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "Made under Preferences > API tokens."}


class Schema(AutoSchema):
    def get_description(self) -> str:  # type: ignore[override]  # the parent overrides it so, too
        need = cast(ApiView, self.view).need_for(self.method)
        scopes = " and ".join(f"`{scope}`" for scope in need.scopes)
        rights = ", ".join(RIGHTS[right] for right in need.rights)
        asked = f"Scope {scopes}; the token's user must be allowed to: {rights}." if need.scopes else ""
        return "\n\n".join(filter(None, [" ".join(super().get_description().split()), asked]))

    def get_tags(self) -> list[str]:
        return [self.path.split("/")[3]]

    def get_override_parameters(self) -> list[Any]:
        if not self._is_once:
            return []
        say = "Repeat a request with the same key, and it is done once and answered as the first time, for 24 hours."
        kind = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[ -~]+$"}
        return [OpenApiParameter(HEADER, kind, OpenApiParameter.HEADER, description=say)]

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status in (*_ALWAYS, *(_OF_ACTIONS if self._is_once else ())):
            bodies[str(status)] = self._get_response_for_code(Problem, str(status), [CONTENT_TYPE], direction)
        return bodies

    @property
    def _is_once(self) -> bool:
        return hasattr(getattr(self.view, self.method.lower()), "is_once")


def refuse_unknown_names(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Say of every body that nothing else may stand in it, as `checked` has it."""
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request"):
            schema["additionalProperties"] = False
    return result
