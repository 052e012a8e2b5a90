"""Administration of people: organisations, accounts, roles and grants."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from qinglan.base.identity import accounts, grants, links, organisations, sessions, tokens
from qinglan.base.identity.identity import Identity
from qinglan.base.identity.roles import ORGANISATION_KINDS
from qinglan.base.scope import RIGHTS, Scope
from qinglan.core.errors import InputError
from qinglan.web.answers import Json
from qinglan.web.identity import Calling, CurrentScope, People, needs, signed_in
from qinglan.web.identity_session import Body, Identifier
from qinglan.web.moments import parse_day

router = APIRouter(prefix="/api/v1", tags=["people"])
OrganisationId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Name = Annotated[str, Field(min_length=1, max_length=120)]
Email = Annotated[str, Field(max_length=200, pattern=r"^[^@\s]+@[^@\s]+$")]
Phone = Annotated[str, Field(max_length=40, pattern=r"^[0-9+() -]+$")]


class NewOrganisation(Body):
    """An organisation."""

    id: OrganisationId
    title_zh: Name
    title_en: Name | None = None
    kind: str = Field(max_length=32)
    parent: OrganisationId | None = None
    places: list[str] = Field(default=[], max_length=200)
    start: date | None = None
    end: date | None = None
    note: str | None = Field(default=None, max_length=2000)


class OrganisationChanges(Body):
    """What shall be different; what is not said stays."""

    title_zh: Name | None = None
    title_en: Name | None = None
    parent: OrganisationId | None = None
    places: list[str] | None = Field(default=None, max_length=200)
    end: date | None = None
    note: str | None = Field(default=None, max_length=2000)


class NewAccount(Body):
    """An account; its first password is made up and in the answer."""

    id: str = Field(min_length=2, max_length=63, pattern=r"^[a-z0-9][a-z0-9._-]+$")
    name: Name
    organisation: OrganisationId | None = None
    email: Email | None = None
    phone: Phone | None = None


class AccountChanges(Body):
    """What shall be different; what is not said stays."""

    name: Name | None = None
    organisation: OrganisationId | None = None
    email: Email | None = None
    phone: Phone | None = None


class Reason(Body):
    """Why."""

    reason: str | None = Field(default=None, max_length=500)


class NewGrant(Body):
    """A role for an account, from when to when, and where."""

    role: str = Field(max_length=64)
    places: list[str] | None = Field(default=None, max_length=200)
    organisations: list[str] | None = Field(default=None, max_length=200)
    media: list[str] | None = Field(default=None, max_length=20)
    start: date | None = None
    end: date | None = None
    reason: str | None = Field(default=None, max_length=500)


@router.get("/roles")
@signed_in
def list_roles(people: People) -> Response:
    """List the declared roles with their rights, the rights with their titles, and the kinds of organisation."""
    roles = [
        {
            "id": role.id,
            "title": role.title.model_dump(),
            "group": role.group,
            "rights": list(role.rights),
            "second_factor": role.second_factor,
            "must_limit": list(role.must_limit),
            "own_organisation": role.own_organisation,
            "media": None if role.media is None else list(role.media),
            "excludes": [other.id for other in people.roles.values() if role.excludes(other)],
            "basis": [clause.model_dump(exclude_none=True) for clause in role.basis],
        }
        for role in people.roles.values()
    ]
    return Json(
        {
            "roles": roles,
            "rights": [{"id": right, "title": title.model_dump()} for right, title in RIGHTS.items()],
            "organisation_kinds": [
                {"id": kind, "title": title.model_dump()} for kind, title in ORGANISATION_KINDS.items()
            ],
            "token_rights": [right for right in RIGHTS if right not in tokens.NEVER],
        }
    )


@router.get("/organisations")
@signed_in
def list_organisations(
    people: People, scope: CurrentScope, on: Annotated[str | None, Query(max_length=40)] = None
) -> Response:
    """List the organisations that one may see; `on` leaves out those that do not exist on that day."""
    return Json(organisations.listed(people, scope, parse_day(on, "on") if on else None))


@router.post("/organisations")
@needs("administer", trail=False)
def add_organisation(people: People, caller: Calling, given: NewOrganisation) -> Response:
    """Add an organisation."""
    _require_all(caller.scope, given.parent)
    made = organisations.add(people, caller.actor, given.id, **given.model_dump(exclude={"id"}))
    return Json(made, status_code=201, headers={"Location": f"/api/v1/organisations/{given.id}"})


@router.get("/organisations/{organisation_id}")
@signed_in
def get_organisation(people: People, scope: CurrentScope, organisation_id: Identifier) -> Response:
    """Return one organisation."""
    return Json(organisations.get(people, scope, organisation_id))


@router.patch("/organisations/{organisation_id}")
@needs("administer", trail=False)
def change_organisation(
    people: People, caller: Calling, organisation_id: Identifier, given: OrganisationChanges
) -> Response:
    """Change an organisation; an end date closes it."""
    changes = given.model_dump(exclude_unset=True)
    for name in ("title_zh", "title_en", "places"):
        _require_value(changes, name)
    if "parent" in changes:
        _require_all(caller.scope, changes["parent"])
    return Json(organisations.change(people, caller.actor, caller.scope, organisation_id, changes))


@router.get("/accounts")
@needs(*accounts.MANAGERS)
def list_accounts(
    people: People,
    scope: CurrentScope,
    text: Annotated[str | None, Query(max_length=120)] = None,
    organisation: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """List the accounts that one may see; `text` is looked for in account and name."""
    return Json(accounts.listed(people, scope, text=text, organisation=organisation))


@router.post("/accounts")
@needs("administer", trail=False)
def add_account(people: People, caller: Calling, given: NewAccount) -> Response:
    """Add an account; the first password is in this answer alone and must be changed at the first sign-in."""
    values = given.model_dump(exclude={"id"})
    made, password = accounts.add(people, caller.actor, given.id, **values, scope=caller.scope)
    return Json({**made, "password": password}, status_code=201, headers={"Cache-Control": "no-store"})


@router.get("/accounts/{account_id}")
@needs(*accounts.MANAGERS)
def get_account(people: People, scope: CurrentScope, account_id: Identifier) -> Response:
    """Return one account with its grants and tokens."""
    return Json(_full(people, scope, account_id))


@router.patch("/accounts/{account_id}")
@needs("administer", trail=False)
def change_account(people: People, caller: Calling, account_id: Identifier, given: AccountChanges) -> Response:
    """Change an account's name, organisation, address or telephone."""
    changes = given.model_dump(exclude_unset=True)
    _require_value(changes, "name")
    accounts.change(people, caller.actor, caller.scope, account_id, changes)
    return Json(_full(people, caller.scope, account_id))


@router.post("/accounts/{account_id}/disable")
@needs("administer", trail=False)
def disable_account(people: People, caller: Calling, account_id: Identifier, given: Reason | None = None) -> Response:
    """Disable an account; its sessions and tokens are good for nothing from now on."""
    if account_id == caller.scope.account:
        raise InputError("不能停用自己的账户。", "Nobody disables their own account.", field="id")
    reason = given.reason if given else None
    return Json(accounts.set_disabled(people, caller.actor, caller.scope, account_id, True, reason=reason))


@router.post("/accounts/{account_id}/enable")
@needs("administer", trail=False)
def enable_account(people: People, caller: Calling, account_id: Identifier) -> Response:
    """Enable an account again."""
    return Json(accounts.set_disabled(people, caller.actor, caller.scope, account_id, False))


@router.post("/accounts/{account_id}/password")
@needs("administer", trail=False)
def reset_password(people: People, caller: Calling, account_id: Identifier) -> Response:
    """Give an account a new first password, which is in this answer alone."""
    password = accounts.reset_password(people, caller.actor, caller.scope, account_id)
    return Json({"id": account_id, "password": password}, headers={"Cache-Control": "no-store"})


@router.post("/accounts/{account_id}/unlock")
@needs("secure", trail=False)
def unlock_account(people: People, caller: Calling, account_id: Identifier) -> Response:
    """End an account's lock before its time."""
    return Json(accounts.unlock(people, caller.actor, caller.scope, account_id))


@router.delete("/accounts/{account_id}/totp")
@needs("secure", trail=False)
def remove_second_factor(people: People, caller: Calling, account_id: Identifier) -> Response:
    """Take away a second factor that was lost."""
    return Json(accounts.remove_second_factor(people, caller.actor, caller.scope, account_id))


@router.delete("/accounts/{account_id}/sessions")
@needs("secure", trail=False)
def end_sessions(people: People, caller: Calling, account_id: Identifier) -> Response:
    """Sign an account out everywhere."""
    accounts.get(people, caller.scope, account_id, rights=("secure",))
    return Json({"ended": sessions.end_everywhere(people, caller.actor, account_id)})


@router.delete("/accounts/{account_id}/tokens/{token_id}")
@needs("secure", trail=False)
def revoke_token_of(people: People, caller: Calling, account_id: Identifier, token_id: Identifier) -> Response:
    """End a token of an account."""
    accounts.get(people, caller.scope, account_id, rights=("secure",))
    tokens.revoke(people, caller.actor, account_id, token_id)
    return Json(_full(people, caller.scope, account_id))


@router.post("/accounts/{account_id}/grants")
@needs("secure", trail=False)
def grant_role(people: People, caller: Calling, account_id: Identifier, given: NewGrant) -> Response:
    """Give an account a role."""
    accounts.get(people, caller.scope, account_id, rights=("secure",))
    made = grants.grant(
        people,
        caller.actor,
        account_id,
        given.role,
        organisations_=given.organisations,
        **given.model_dump(exclude={"role", "organisations"}),
    )
    return Json(made, status_code=201)


@router.delete("/accounts/{account_id}/grants/{grant_id}")
@needs("secure", trail=False)
def revoke_grant(
    people: People, caller: Calling, account_id: Identifier, grant_id: Identifier, given: Reason | None = None
) -> Response:
    """Take a role from an account; the grant stays on file."""
    accounts.get(people, caller.scope, account_id, rights=("secure",))
    grants.revoke(people, caller.actor, account_id, grant_id, reason=given.reason if given else None)
    return Json(_full(people, caller.scope, account_id))


@router.get("/administrators")
@needs(*accounts.MANAGERS)
def administrators(people: People) -> Response:
    """Return which of the three administrators there are not yet."""
    return Json(
        {"missing": [{"id": role, "title": people.roles[role].title.model_dump()} for role in links.missing(people)]}
    )


def _full(people: Identity, scope: Scope, account: str) -> dict[str, Any]:
    found = accounts.get(people, scope, account)
    return {**found, "grants": grants.listed(people, account), "tokens": tokens.listed(people, account)}


def _require_value(changes: dict[str, Any], name: str) -> None:
    if name in changes and changes[name] is None:
        raise InputError(f"{name} 不能为空。", f"{name} cannot be empty.", field=name)


def _require_all(scope: Scope, parent: str | None) -> None:
    bounded = all(part.organisations is not None for part in scope.granted("administer"))
    if (parent is None and bounded) or not scope.covers("administer", organisation=parent):
        raise InputError(
            "上级机构应在您管理的机构之内。",
            "The organisation above should be one that you administer.",
            field="parent",
        )
