"""The columns by which a verdict says what it rests on."""

from __future__ import annotations

import narwhals as nw

from qinglan.standards.edition import Edition


def clause_of(edition: Edition) -> str:
    """Return the clauses of an edition, with the mark where it is not complete."""
    clauses = "、".join(clause.clause or clause.document for clause in edition.basis)
    return f"{clauses}（收录未全）" if edition.state == "incomplete" else clauses


def signed(edition: Edition) -> list[nw.Expr]:
    """Return the columns ``edition, stage, clause`` of an edition's verdicts."""
    return [
        nw.lit(edition.name).alias("edition"),
        nw.lit(edition.stage, dtype=nw.String).alias("stage"),
        nw.lit(clause_of(edition)).alias("clause"),
    ]
