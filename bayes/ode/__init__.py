"""Solvers of initial value problems for whole batches, compiled with what calls them."""

from bayes.ode.adaptive import solve_adaptive
from bayes.ode.fixed import solve_fixed
from bayes.ode.tableau import DORMAND_PRINCE, TABLEAUS, TSITOURAS, Tableau

__all__ = ["DORMAND_PRINCE", "TABLEAUS", "TSITOURAS", "Tableau", "solve_adaptive", "solve_fixed"]
