"""Sequence: what a scanner measures of a tissue, by the textbook signal equations."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, exp, radians, sin

from imaging.simulation.tissue import FAT_RELAXATION, Relaxation


@dataclass(frozen=True, slots=True)
class Sequence:
    """Timing of one acquisition, in ms and degrees.

    `flip_deg` None means a turbo spin echo; otherwise a spoiled gradient echo.
    `fat_t2_factor` lengthens fat's T2: closely spaced refocusing pulses undo its J-coupling
    (Henkelman RM et al., J Magn Reson Imaging 1992;2:533-540).
    """

    name: str
    repetition_ms: float
    echo_ms: float
    flip_deg: float | None = None
    inversion_ms: float | None = None
    fat_suppressed: bool = True
    fat_t2_factor: float = 1.0

    def signal(self, t1_ms: float, t2_ms: float, density: float) -> float:
        """Return the signal of one proton pool, arbitrary units, never negative."""
        if self.flip_deg is None:
            return turbo_spin_echo(self, t1_ms, t2_ms, density)
        return spoiled_gradient_echo(self, t1_ms, t2_ms, density)

    def water(self, tissue: Relaxation) -> float:
        """Return the signal of a tissue's water."""
        return self.signal(tissue.t1_ms, tissue.t2_ms, tissue.water)

    def fat(self, tissue: Relaxation, field_strength_t: float) -> float:
        """Return the signal its fat would give without suppression."""
        t1_ms, t2_ms = FAT_RELAXATION[field_strength_t]
        return self.signal(t1_ms, t2_ms * self.fat_t2_factor, tissue.fat)


def turbo_spin_echo(sequence: Sequence, t1_ms: float, t2_ms: float, density: float) -> float:
    """PD (1 − e^(−TR/T1)) e^(−TE/T2); with an inversion pulse PD |1 − 2e^(−TI/T1) + e^(−TR/T1)|."""
    recovery = 1.0 - exp(-sequence.repetition_ms / t1_ms)
    if sequence.inversion_ms is not None:
        recovery = abs(
            recovery
            - 2.0 * exp(-sequence.inversion_ms / t1_ms)
            + 2.0 * exp(-sequence.repetition_ms / t1_ms)
        )
    return density * recovery * exp(-sequence.echo_ms / t2_ms)


def spoiled_gradient_echo(sequence: Sequence, t1_ms: float, t2_ms: float, density: float) -> float:
    """Ernst: PD sin α (1 − E1) / (1 − E1 cos α) e^(−TE/T2*), with T2* taken as T2 / 2."""
    alpha = radians(sequence.flip_deg or 0.0)
    e1 = exp(-sequence.repetition_ms / t1_ms)
    steady = sin(alpha) * (1.0 - e1) / (1.0 - e1 * cos(alpha))
    return density * steady * exp(-sequence.echo_ms / (t2_ms / 2.0))


T2W_FS = Sequence("T2W-FS", 4000.0, 80.0, fat_t2_factor=1.5)
T2W_STIR = Sequence("T2W-STIR", 4500.0, 70.0, inversion_ms=220.0, fat_t2_factor=1.5)
T1W_FS = Sequence("T1W-FS", 4.2, 1.6, flip_deg=10.0)
T1W = Sequence("T1W", 4.2, 2.2, flip_deg=10.0, fat_suppressed=False)
