"""A real OpenID Connect provider on loopback, made of authlib's server side; its user is always the same."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request, grants
from authlib.oauth2.rfc6749.models import AuthorizationCodeMixin, ClientMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "qinglan", "the-client's-secret"


class Client(ClientMixin):
    """The one client."""

    def get_client_id(self) -> str:
        return CLIENT

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri.endswith("/api/v1/oidc/callback")

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class AuthorizationCode(AuthorizationCodeMixin):
    """A code that was given out."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class Asked(OAuth2Request):
    """A request as authlib wants it."""

    def __init__(self, method: str, uri: str, headers: Any, args: dict[str, str], form: dict[str, str]) -> None:
        super().__init__(method, uri, headers=headers)
        self._args, self._form = args, form
        self.payload = BasicOAuth2Payload({**args, **form})

    @property
    def args(self) -> dict[str, str]:
        return self._args

    @property
    def form(self) -> dict[str, str]:
        return self._form


class Server(AuthorizationServer):
    """authlib's server without a framework of its own."""

    def query_client(self, client_id: str) -> Client | None:
        return Client() if client_id == CLIENT else None

    def save_token(self, token: Any, request: Any) -> None:
        pass

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        pass

    def create_oauth2_request(self, request: Any) -> Any:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        if isinstance(body, dict):
            return JSONResponse(body, status_code=status, headers=dict(headers))
        return Response(body, status_code=status, headers=dict(headers))


@dataclass
class Provider:
    """The running provider; what it says may be bent to see that a lie is found."""

    subject: str = "person-4711"
    username: str = "leader"
    claims: dict[str, Any] = field(default_factory=dict)
    """What is said instead of the truth in the identity token."""
    foreign_key: bool = False
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    issuer: str = ""

    def __post_init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.other = RSAKey.generate_key(2048, {"kid": "one"})
        self.server = Server(scopes_supported=["openid", "profile", "email"])
        self.server.register_token_generator("default", BearerTokenGenerator(lambda **_: "access-token"))
        self.server.register_grant(self._grant(), [CodeChallenge(required=True), self._identity()])

    def _grant(self) -> type:
        held = self.codes

        class Grant(grants.AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]  # noqa: RUF012

            def save_authorization_code(self, code: str, request: Any) -> None:
                said = request.payload.data
                held[code] = AuthorizationCode(
                    code,
                    said["redirect_uri"],
                    said["scope"],
                    said["nonce"],
                    said["code_challenge"],
                    said["code_challenge_method"],
                )

            def query_authorization_code(self, code: str, client: Any) -> AuthorizationCode | None:
                return held.get(code)

            def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
                held.pop(authorization_code.code)

            def authenticate_user(self, authorization_code: AuthorizationCode) -> str:
                return "somebody"

        return Grant

    def _identity(self) -> OpenIDCode:
        provider = self

        class Identity(OpenIDCode):
            def exists_nonce(self, nonce: str, request: Any) -> bool:
                return any(code.nonce == nonce for code in provider.codes.values())

            def resolve_client_private_key(self, client: Any) -> RSAKey:
                return provider.other if provider.foreign_key else provider.key

            def get_encode_header(self, client: Any) -> dict[str, str]:
                return {"alg": "RS256", "kid": "one"}

            def get_client_claims(self, client: Any) -> dict[str, Any]:
                return {"iss": provider.issuer, "aud": [CLIENT]}

            def generate_user_info(self, user: Any, scope: str) -> UserInfo:
                told = {"sub": provider.subject, "preferred_username": provider.username}
                return UserInfo({**told, **provider.claims})

        return Identity(require_nonce=True)

    def _described(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": self.issuer + "/authorize",
                "token_endpoint": self.issuer + "/token",
                "jwks_uri": self.issuer + "/keys",
            }
        )

    def _keys(self, _: Request) -> Response:
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def _asked(self, request: Request) -> Asked:
        form = {name: str(value) for name, value in (await request.form()).items()} if request.method == "POST" else {}
        return Asked(request.method, str(request.url), request.headers, dict(request.query_params), form)

    async def _authorize(self, request: Request) -> Response:
        asked = await self._asked(request)
        grant = self.server.get_consent_grant(asked, end_user="somebody")
        return self.server.create_authorization_response(asked, grant_user="somebody", grant=grant)

    async def _token(self, request: Request) -> Response:
        return self.server.create_token_response(await self._asked(request))

    def start(self) -> uvicorn.Server:
        """Serve on a free port of loopback until it is told to stop."""
        app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._described),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )
        running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", ws="none"))
        threading.Thread(target=running.run, daemon=True).start()
        for _ in range(600):
            if running.started:
                break
            time.sleep(0.05)
        port = running.servers[0].sockets[0].getsockname()[1]
        self.issuer = f"http://localhost:{port}"
        return running
