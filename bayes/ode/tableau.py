"""Embedded Runge-Kutta methods as tables of numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge-Kutta method with an embedded error estimate, whose last stage is the first one of the next step.

    Args:
        order: order of the solution; the error estimate is one order lower.
        nodes: the times of the stages, as parts of a step.
        matrix: what each stage adds up of those before it. The last row makes the solution itself.
        error: weights of the error estimate, one per stage.
    """

    name: str
    order: int
    nodes: tuple[float, ...]
    matrix: tuple[tuple[float, ...], ...]
    error: tuple[float, ...]

    @property
    def weights(self) -> tuple[float, ...]:
        """What the solution adds up of the stages."""
        return (*self.matrix[-1], 0.0)


# Dormand and Prince, 1980, "A family of embedded Runge-Kutta formulae".
DORMAND_PRINCE = Tableau(
    name="rk45",
    order=5,
    nodes=(0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0),
    matrix=(
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    ),
    error=(71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40),
)

# Tsitouras, 2011, "Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying assumption".
TSITOURAS = Tableau(
    name="tsit5",
    order=5,
    nodes=(0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0),
    matrix=(
        (),
        (0.161,),
        (-0.008480655492356989, 0.335480655492357),
        (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
        (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
        (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383),
        (0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774),
    ),
    error=(
        -0.00178001105222577714,
        -0.0008164344596567469,
        0.007880878010261995,
        -0.1447110071732629,
        0.5823571654525552,
        -0.45808210592918697,
        1 / 66,
    ),
)

TABLEAUS = {tableau.name: tableau for tableau in (DORMAND_PRINCE, TSITOURAS)}
