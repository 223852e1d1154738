"""The environment that a launcher gives a process -> as one of how many it was started."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

# What launchers call the number of processes, and the number of this one.
NAMES = (
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),  # Open MPI
    ("PMI_SIZE", "PMI_RANK"),  # MPICH, Intel MPI, MVAPICH, Microsoft MPI, srun --mpi=pmi2
)
PMIX = "PMIX_RANK"  # srun --mpi=pmix, which has its own word for the number
OF_SLURM = ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID")


@dataclass(frozen=True, slots=True)
class Launch:
    """How a process was started: as number `rank`, from 0, of `size`."""

    rank: int = 0
    size: int = 1


def launch(environment: Mapping[str, str] = os.environ) -> Launch:
    """As one of how many this process was started; without a launcher, as the only one."""
    named = NAMES if PMIX not in environment else (*NAMES, OF_SLURM)
    for size, rank in named:
        texts = environment.get(size, ""), environment.get(rank, "")
        if all(text.isdecimal() for text in texts) and int(texts[0]) > 1:
            return Launch(int(texts[1]), int(texts[0]))
    return Launch()
