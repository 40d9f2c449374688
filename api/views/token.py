"""The token itself: is it alive, whose is it, what is it for."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from ..access import Need
from ..resources.token import Token
from .base import ApiView


class OwnToken(ApiView):
    needs = {"GET": Need()}

    @extend_schema(operation_id="get_token", responses=Token)
    def get(self, request: Request) -> Response:
        """Read what this token is for and until when it works. Any live token may."""
        return Response(Token(request.auth).data)
