"""The matrix notices when a policy is made laxer."""

from __future__ import annotations

import os
import random

from tests.authz.matrix import cells, judge, wanted_of
from tests.authz.mutants import mutants
from tests.authz.routes import routes

MUTANTS = 20


def test_a_relaxed_policy_never_passes_the_matrix(world, capsys):
    seed = int(os.environ.get("AUTHZ_SEED", random.randrange(10**6)))
    with capsys.disabled():
        print(f"\nauthz: {MUTANTS} mutants of seed {seed}", end=", ")
    survivors = []
    drawn = mutants(random.Random(seed), routes(), MUTANTS)
    for mutant in drawn:
        # A laxer policy shows first where somebody ought to be refused.
        suspects = sorted(cells(world, mutant.routes, world.actors), key=lambda cell: wanted_of(cell) is None)
        with mutant.applied():
            if not any(judge(world, cell) for cell in suspects):
                survivors.append(mutant.name)
    with capsys.disabled():
        print(f"{len(drawn) - len(survivors)} caught", end=" ")
    assert len(drawn) == MUTANTS
    assert survivors == [], f"seed {seed}: the matrix did not notice"
