"""`lssat plan`: what a run will take before it starts - time, disk, GPU memory, energy.

`amounts` counts samples, `operations` the work on each, `rates` says what a machine does in a
second, `costs` makes seconds of them for each job; progress weighs jobs by the same numbers.
`totals` adds up, `place` says where it runs and what is lacking, `terminal` prints. `measure`
alone imports torch: it makes a few steps on the machine's device.
"""

from lssat.orchestrate.plan.job_seconds import Costs
from lssat.orchestrate.plan.rates import Machine, machine_of

__all__ = ["Costs", "Machine", "machine_of"]
