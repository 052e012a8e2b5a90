"""Roles as declarations: which rights one gives, and which other roles it excludes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from qinglan.base.scope import RIGHTS
from qinglan.core.declare import Declaration, Declarations, Finding, Title, kind

Limit = Literal["places", "organisations", "media"]

ORGANISATION_KINDS: dict[str, Title] = {
    "bureau": Title(zh="市生态环境局", en="city bureau"),
    "section": Title(zh="科室", en="section"),
    "branch": Title(zh="县（市、区）分局", en="county branch"),
    "park": Title(zh="园区管委会", en="park committee"),
    "town": Title(zh="乡镇（街道）", en="town"),
    "department": Title(zh="其他部门", en="other department"),
    "enterprise": Title(zh="企业", en="enterprise"),
    "operator": Title(zh="第三方运维单位", en="operator"),
    "public": Title(zh="公众", en="public"),
}


@kind("role")
class Role(Declaration):
    """One role.

    `group` says which of the three administrators it is, if any: these exclude each other and every business role.
    `own` names what an account that holds the role is always limited to, whatever its grant says.
    """

    rights: tuple[str, ...] = Field(min_length=1)
    group: Literal["business", "administration"] = "business"
    second_factor: bool = False
    must_limit: tuple[Limit, ...] = ()
    own_organisation: bool = False
    media: tuple[str, ...] | None = None

    def excludes(self, other: Role) -> bool:
        """Return whether nobody may hold both.

        依据: GB/T 22239—2019 8.1.5（三员分立）。
        """
        return self.id != other.id and "administration" in {self.group, other.group}

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield unknown rights, and an administrator who could also do business."""
        for right in self.rights:
            if right.partition(":")[0] not in RIGHTS:
                yield self.finding(f"没有权限“{right}”。", f'there is no right "{right}".')
        if self.group == "administration":
            if {"write", "import", "confirm"} & {right.partition(":")[0] for right in self.rights}:
                yield self.finding("管理员角色不得有业务权限。", "an administrator may not do business.")
            if not self.second_factor:
                yield self.finding("管理员须用双因素。", "an administrator needs a second factor.")


@kind("role_separation")
class Separation(Declaration):
    """Rights that no single role may unite.

    依据: GB/T 22239—2019 8.1.5（三员分立）。
    """

    rights: tuple[str, ...] = Field(min_length=2)

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield each role that has two of them."""
        for role in declarations.of(Role).values():
            if len(set(self.rights) & set(role.rights)) > 1:
                yield self.finding(f"角色 {role.id} 同时有其中两项。", f"the role {role.id} has two of them.")
