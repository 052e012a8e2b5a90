"""The composition root: finds the declarations and the city pack and ties the parts together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import Engine

import qinglan
import qinglan.domains.air.compute
import qinglan.domains.sea.compute
import qinglan.domains.water.compute
import qinglan.gateways.judging.declare
import qinglan.ledgers.declare
import qinglan.standards.emission.tables
import qinglan.standards.governance.tables
import qinglan.standards.groundwater.tables
import qinglan.standards.noise.tables
import qinglan.standards.risk.tables
import qinglan.standards.sea.tables
import qinglan.standards.soil.tables
import qinglan.standards.waste.tables
import qinglan.standards.water.tables
from qinglan import jobs
from qinglan.base.database import open_base
from qinglan.base.identity.identity import Identity
from qinglan.base.settings import Settings
from qinglan.core.declare import Declarations, Finding
from qinglan.core.errors import DeclarationError, InputError, QinglanError
from qinglan.gateways.files import importing
from qinglan.indicators import compute
from qinglan.indicators.city import City, Places, Sites, places_below
from qinglan.indicators.compute import Estimate
from qinglan.indicators.declare import Indicator
from qinglan.indicators.evaluate import Progress
from qinglan.indicators.evaluate import evaluate as evaluate_plan
from qinglan.indicators.installation import today
from qinglan.jobs import Handler, JobContext
from qinglan.ledgers import heads, registry
from qinglan.ledgers.places import Places as LedgerPlaces
from qinglan.ledgers.registry import Ledgers
from qinglan.observations import maintenance
from qinglan.observations.lake import Lake, open_lake

EVALUATE = "evaluate"
COMPACT = "compact"
SIGN_HEADS = "ledger_heads"
PACKAGE = Path(qinglan.__file__).parent


def declaration_folders() -> list[Path]:
    """Return the folders of the declarations that ship with the package."""
    folders = (PACKAGE / "base", PACKAGE / "standards", PACKAGE / "domains", PACKAGE / "gateways" / "judging")
    return [folder for folder in folders if folder.is_dir()]


def city_folders() -> dict[str, Path]:
    """Return the city packs by name: in the wheel beside the package, else in the source tree."""
    for cities in (PACKAGE / "cities", PACKAGE.parent.parent / "cities"):
        found = {path.parent.name: path.parent for path in sorted(cities.glob("*/city.yaml"))}
        if found:
            return found
    return {}


def load_declarations(city: str) -> Declarations:
    """Return the shipped declarations and those of one city pack.

    Raises
    ------
    InputError
        If there is no such city pack.
    DeclarationError
        If a declaration cannot be read.
    """
    packs = city_folders()
    if city not in packs:
        raise InputError(
            f"没有城市包“{city}”；现有：{'、'.join(packs) or '无'}。请在 qinglan.toml 中写明 city。",
            f'There is no city pack "{city}"; there are: {", ".join(packs) or "none"}. Set city in qinglan.toml.',
            field="city",
        )
    return Declarations.from_folders([*declaration_folders(), packs[city]])


@dataclass
class Application:
    """One open home folder: its base, its lake, what is declared, and the function of each kind of job."""

    settings: Settings
    engine: Engine
    lake: Lake
    declarations: Declarations
    city: City
    handlers: Mapping[str, Handler] = field(init=False)

    def __post_init__(self) -> None:
        self.handlers = {
            importing.KIND: self._import_job,
            EVALUATE: self._evaluate_job,
            COMPACT: self._compact_job,
            SIGN_HEADS: self._heads_job,
        }

    @classmethod
    def open(cls, home: Settings | Path | None = None) -> Application:
        """Open a home folder; it is made if it is not there.

        Raises
        ------
        InputError
            If a setting is not acceptable or the city pack is not there.
        StorageError
            If the home folder, the base or the lake cannot be opened.
        """
        settings = home if isinstance(home, Settings) else Settings.load(home)
        declarations = load_declarations(settings.city)
        cities = list(declarations.of(City).values())
        if len(cities) != 1:
            raise DeclarationError(
                f"城市包“{settings.city}”应声明一座城市，现有 {len(cities)} 座。",
                f'The city pack "{settings.city}" should declare one city; it declares {len(cities)}.',
            )
        engine = open_base(settings)
        return cls(settings, engine, open_lake(settings, engine), declarations, cities[0])

    @cached_property
    def identity(self) -> Identity:
        """The people of this installation."""
        return _identity(self.settings, self.engine, self.declarations)

    @cached_property
    def ledgers(self) -> Ledgers:
        """The ledgers; their tables are brought to what is declared when they are first asked for."""
        held = (place for places in self.declarations.of(Places).values() for place in places.entries)
        places = LedgerPlaces.of((place.id, place.title, place.parent) for place in held)
        settings = self.settings
        return Ledgers.open(self.engine, self.declarations, places, home=settings.home, files=settings.files)

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()

    def __enter__(self) -> Application:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _import_job(self, context: JobContext) -> dict[str, object] | None:
        registered = {site.id for sites in self.declarations.of(Sites).values() for site in sites.entries}
        summary = importing.handler(self.settings, self.lake, registered)(context)
        waiting = jobs.list_jobs(self.engine, kinds=[COMPACT], states=["waiting"], limit=1)
        if not waiting and maintenance.is_due(self.lake):
            jobs.enqueue(self.engine, COMPACT, {}, title_zh="整理观测库", title_en="Compact the lake")
        return summary

    def _evaluate_job(self, context: JobContext) -> dict[str, object]:
        as_of = date.fromisoformat(context.arguments.get("as_of") or today().isoformat())
        found = evaluate_plan(self, as_of, context.arguments.get("indicators"), progress=context.progress)
        return {"as_of": as_of.isoformat(), "values": sum(estimate.value is not None for estimate in found)}

    def _heads_job(self, _: JobContext) -> dict[str, object]:
        return {"file": heads.sign(self.ledgers).name if heads.due(self.ledgers) else None}

    def _compact_job(self, context: JobContext) -> dict[str, object]:
        def said(done: int, total: int) -> None:
            context.progress(done, total, "整理观测库", "compacting the lake")

        return dict(maintenance.compact(self.lake, progress=said))


def identity_of(settings: Settings, engine: Engine) -> Identity:
    """Return the people of a home folder without opening all of it."""
    packs = city_folders()
    folders = [PACKAGE / "base", *([packs[settings.city]] if settings.city in packs else [])]
    return _identity(settings, engine, Declarations.from_folders(folders))


def _identity(settings: Settings, engine: Engine, declarations: Declarations) -> Identity:
    places = frozenset(one.id for held in declarations.of(Places).values() for one in held.entries)
    below = partial(places_below, declarations)
    return Identity.of(engine, declarations, settings.home, below, places or None)


def evaluate(
    application: Application,
    as_of: date | None = None,
    indicators: Sequence[str] | None = None,
    *,
    known_by: datetime | None = None,
    progress: Progress | None = None,
) -> list[Estimate]:
    """Compute the indicators of the plan and record what changed; see `qinglan.indicators.evaluate.evaluate`."""
    return evaluate_plan(application, as_of or today(), indicators, known_by=known_by, progress=progress)


@dataclass
class Report:
    """What `qinglan check` found."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: int = 0
    findings: list[Finding] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "counts": dict(sorted(self.counts.items())),
            "examples": self.examples,
            "findings": [{"file": str(found.file), "zh": found.zh, "en": found.en} for found in self.findings],
        }


def check(folders: Sequence[Path] = ()) -> Report:
    """Check the shipped declarations, the city packs and those below `folders`: form, references, examples."""
    report = Report()
    declarations = Declarations()
    for folder in (*declaration_folders(), *city_folders().values(), *folders):
        try:
            for declaration in Declarations.from_folders([folder]):
                declarations.add(declaration)
        except QinglanError as error:
            report.findings.append(Finding(Path(error.file or folder), error.zh, error.en))
    report.counts = dict(Counter(declaration.KIND for declaration in declarations))
    report.examples = sum(len(declaration.examples) for declaration in declarations)
    known = compute.functions()
    unknown = [found for found in declarations.of(Indicator).values() if found.compute not in known]
    report.findings += [
        found.finding(f"计算函数“{found.compute}”没有登记。", f'the function "{found.compute}" is not registered.')
        for found in unknown
    ]
    if not report.findings:
        try:
            report.findings += declarations.check() + registry.check_examples(declarations)
        except QinglanError as error:
            report.findings.append(Finding(Path(error.file or ""), error.zh, error.en))
    return report
