"""Signing in at an OpenID Connect provider: authorization code with PKCE, and which account a subject is.

The provider says who somebody is; what they may do is granted here alone.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete, insert, select, update

from qinglan.base.engine import transaction
from qinglan.base.identity import sessions, trail
from qinglan.base.identity.identity import Actor, Identity, digest, new_secret
from qinglan.base.identity.refusals import ConflictError, NotSignedInError, not_there
from qinglan.base.identity.tables import accounts, oidc_attempts, oidc_subjects
from qinglan.base.settings import Settings
from qinglan.core.errors import InputError, StorageError

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
_SECONDS = 10
_LEEWAY = 60
_ATTEMPT = timedelta(minutes=10)
_ATTEMPTS = 1000
_LONGEST = 255


@dataclass(frozen=True)
class Attempt:
    """Where the browser goes to sign in, and the state that it must bring back."""

    address: str
    state: str


class Provider:
    """One provider, with what it says about itself read once.

    Parameters
    ----------
    settings
        Issuer, client and secret.
    """

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer
        self._client = settings.oidc_client_id
        self._secret = settings.oidc_client_secret or None
        self._claim = settings.oidc_claim
        self._known: dict[str, Any] | None = None
        self._lock = threading.Lock()

    def begin(self, identity: Identity, redirect: str) -> Attempt:
        """Begin a sign-in; what must be known at its end is kept for ten minutes.

        Raises
        ------
        InputError
            If the settings name no provider.
        StorageError
            If the provider cannot be reached.
        """
        where = self._metadata()["authorization_endpoint"]
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        with self._session(redirect) as client:
            address, _ = client.create_authorization_url(where, state=state, code_verifier=verifier, nonce=nonce)
        now = identity.clock()
        with transaction(identity.engine) as connection:
            connection.execute(delete(oidc_attempts).where(oidc_attempts.c.created < now - _ATTEMPT))
            kept = select(oidc_attempts.c.state).order_by(oidc_attempts.c.created.desc()).offset(_ATTEMPTS)
            beyond = list(connection.scalars(kept))
            connection.execute(delete(oidc_attempts).where(oidc_attempts.c.state.in_(beyond)))
            connection.execute(
                insert(oidc_attempts).values(
                    state=digest(state), nonce=nonce, verifier=verifier, redirect=redirect[:_LONGEST], created=now
                )
            )
        return Attempt(str(address), state)

    def finish(self, identity: Identity, code: str, state: str, *, address: str = "", agent: str = "") -> str:
        """End a sign-in: exchange the code, check who it is, and return the secret of a new session.

        Raises
        ------
        NotSignedInError
            If the state is unknown, old or used, the provider's word is not good, or nobody here is that subject.
        StorageError
            If the provider cannot be reached.
        """
        with transaction(identity.engine) as connection:
            query = oidc_attempts.c.state == digest(state)
            row = connection.execute(select(oidc_attempts).where(query)).mappings().first()
            connection.execute(delete(oidc_attempts).where(query))
        if row is None or identity.clock() - row["created"] > _ATTEMPT:
            raise _refused("登录请求已过期或不是从本系统发出", "the sign-in is too old or was not begun here")
        claims = self._claims(code, row["redirect"], row["verifier"], row["nonce"])
        return self._begun(identity, claims, address, agent)

    def _begun(self, identity: Identity, claims: Mapping[str, Any], address: str, agent: str) -> str:
        subject, issuer = str(claims["sub"]), self._issuer
        now, secret = identity.clock(), None
        with transaction(identity.engine) as connection:
            known = select(oidc_subjects.c.account).where(
                oidc_subjects.c.issuer == issuer, oidc_subjects.c.subject == subject
            )
            account = connection.scalars(known).first()
            named = str(claims.get(self._claim) or "") if self._claim else ""
            if account is None and named:
                linked = select(oidc_subjects.c.subject).where(
                    oidc_subjects.c.issuer == issuer, oidc_subjects.c.account == named
                )
                found = connection.scalars(select(accounts.c.id).where(accounts.c.id == named)).first()
                # An account that is another subject's already is never handed to a second one of the same name.
                if found is not None and connection.execute(linked).first() is None:
                    account = found
                    connection.execute(
                        insert(oidc_subjects).values(issuer=issuer, subject=subject, account=account, linked=now)
                    )
            row = None
            if account is not None:
                row = connection.execute(select(accounts).where(accounts.c.id == account)).mappings().one()
            actor = Actor(account or "", address)
            what = f"account/{account or '?'}"
            usable = (
                row is not None
                and row["disabled"] is None
                and (row["locked_until"] is None or row["locked_until"] <= now)
            )
            if account is not None and usable:
                connection.execute(update(accounts).where(accounts.c.id == account).values(last_sign_in=now))
                secret = sessions.start(connection, identity, account, address=address, agent=agent, factor=False)
            outcome = "done" if secret else "refused"
            trail.append(connection, actor, "sign_in", what, at=now, outcome=outcome, detail={"by": issuer})
        if secret is None:
            raise _refused("此身份没有对应的可用账户，请联系系统管理员关联", "no usable account here is linked to it")
        return secret

    def _claims(self, code: str, redirect: str, verifier: str, nonce: str) -> Mapping[str, Any]:
        known = self._metadata()
        try:
            with self._session(redirect) as client:
                token = client.fetch_token(
                    known["token_endpoint"], code=code, code_verifier=verifier, grant_type="authorization_code"
                )
            keys = KeySet.import_key_set(_answer(httpx.get(known["jwks_uri"], timeout=_SECONDS)))
            found = jwt.decode(str(token["id_token"]), keys, algorithms=ALGORITHMS).claims
            rules = jwt.JWTClaimsRegistry(
                leeway=_LEEWAY,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._client},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            rules.validate(found)
        except httpx.HTTPError as error:
            raise _unreachable(self._issuer) from error
        except (AuthlibBaseError, JoseError, KeyError, ValueError, TypeError) as error:
            raise _refused("统一身份认证返回的凭据无效", "the provider's answer is not good") from error
        several = isinstance(found.get("aud"), list) and len(found["aud"]) > 1
        if (several or "azp" in found) and found.get("azp") != self._client:
            raise _refused("统一身份认证的凭据是发给别的系统的", "the provider's answer is meant for another system")
        return dict(found)

    def _metadata(self) -> dict[str, Any]:
        if not self._issuer or not self._client:
            raise InputError(
                "没有配置统一身份认证（oidc_issuer、oidc_client_id）。",
                "No provider is set (oidc_issuer, oidc_client_id).",
                field="oidc_issuer",
            )
        with self._lock:
            if self._known is None:
                where = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
                try:
                    found = _answer(httpx.get(where, timeout=_SECONDS))
                except (httpx.HTTPError, ValueError) as error:
                    raise _unreachable(self._issuer) from error
                wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
                if found.get("issuer") != self._issuer or not all(isinstance(found.get(one), str) for one in wanted):
                    raise _unreachable(self._issuer)
                self._known = found
            return self._known

    def _session(self, redirect: str) -> Any:
        # Only who signs in at a provider pays for loading the client.
        from authlib.integrations.httpx_client import OAuth2Client

        return OAuth2Client(
            self._client,
            self._secret,
            scope="openid profile email",
            redirect_uri=redirect,
            code_challenge_method="S256",
            timeout=_SECONDS,
        )


def link(identity: Identity, actor: Actor, issuer: str, account: str, subject: str) -> None:
    """Say which account a provider's subject is.

    Raises
    ------
    ConflictError
        If the subject is another account's.
    NotThereError
        If there is no such account.
    """
    now = identity.clock()
    with transaction(identity.engine) as connection:
        if connection.execute(select(accounts.c.id).where(accounts.c.id == account)).first() is None:
            raise not_there("账户", "account", account)
        key = (oidc_subjects.c.issuer == issuer) & (oidc_subjects.c.subject == subject)
        held = connection.scalars(select(oidc_subjects.c.account).where(key)).first()
        if held is not None and held != account:
            raise ConflictError("此身份已关联别的账户。", "This subject is another account's.", field="subject")
        if held is None:
            connection.execute(
                insert(oidc_subjects).values(issuer=issuer, subject=subject, account=account, linked=now)
            )
        detail = {"linked": subject, "issuer": issuer}
        trail.append(connection, actor, "account", f"account/{account}", at=now, detail=detail)


def _answer(response: httpx.Response) -> Any:
    response.raise_for_status()
    return response.json()


def _refused(zh: str, en: str) -> NotSignedInError:
    return NotSignedInError(f"未能登录：{zh}。", f"Not signed in: {en}.")


def _unreachable(issuer: str) -> StorageError:
    return StorageError(
        f"无法使用统一身份认证 {issuer}：连不上，或其声明与设置不符。",
        f"The provider {issuer} cannot be used: it is not reached, or what it says of itself is not what is set.",
    )
