"""A real SLURM of one node on this machine, for tests, ended with the program that started it.

    cd tests; python -m helpers.slurm FOLDER    # by hand: prints what to export; Ctrl-C ends it

Debian's slurmctld, slurmd and munged, as the user who starts them, with their own key, ports and
files in FOLDER: what the machine has in /etc is not touched. The node pretends to have 8 cores,
200 GB and 8 GPUs (empty files). No accounting, no cgroups. Jobs of the partition `urgent` put
those of the others off; these are queued again.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.waiting import ended, until

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
_CONFIGURATION = """
ClusterName=lssat
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0,requeue_delay=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=5
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=200000 Gres=gpu:8
PartitionName=cpu Nodes=one Default=YES MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=gpu Nodes=one MaxTime=INFINITE State=UP PriorityTier=1
PartitionName=urgent Nodes=one MaxTime=INFINITE State=UP PriorityTier=9 PreemptMode=OFF
"""


def missing() -> list[str]:
    """The programs of SLURM that this machine lacks."""
    return [name for name in NEEDED if shutil.which(name, path=_path()) is None]


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


class Cluster:
    """A running SLURM; its commands, by `run`."""

    def __init__(self, folder: Path):
        self.folder = folder
        # Snakemake's jobs forget SLURM_CONF before they call srun, which /etc tells elsewhere.
        (folder / "bin").mkdir()
        srun = folder / "bin/srun"
        srun.write_text(
            f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {shutil.which("srun")} "$@"\n'
        )
        srun.chmod(0o755)
        self.environment = {
            "SLURM_CONF": f"{folder}/slurm.conf",
            "PATH": f"{folder / 'bin'}:{_path()}",
        }

    def run(self, *command: str) -> str:
        """Run a command of SLURM; return what it printed."""
        return subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, check=True
        ).stdout

    def jobs(self) -> list[dict[str, str]]:
        """All jobs that SLURM remembers, as it tells them, in their order."""
        lines = self.run("scontrol", "--oneliner", "show", "job").splitlines()
        words = ((each.split("=", 1) for each in line.split() if "=" in each) for line in lines)
        found = [dict(each) for each in words]
        return sorted((each for each in found if each), key=lambda each: int(each["JobId"]))

    def preempt(self, job: str) -> None:
        """Let a job of the partition `urgent` take the node; the job begins again after it."""
        before = self.job(job)["Restarts"]
        self.run("sbatch", "--partition=urgent", "--exclusive", "--output=/dev/null", "--wrap=:")
        until(lambda: self.job(job)["Restarts"] != before, f"job {job} put off")
        self.release(job)

    def put_off(self, job: str) -> None:
        """As `preempt`, for no other job and so at once."""
        self.run("scontrol", "requeue", job)
        self.release(job)

    def release(self, job: str) -> None:
        """Let a job that is queued again begin: SLURM would wait for two minutes."""
        until(lambda: self.job(job)["JobState"] == "PENDING", f"job {job} pending")
        self.run("scontrol", "update", f"jobid={job}", "starttime=now")

    def job(self, number: str) -> dict[str, str]:
        """One job."""
        (found,) = (each for each in self.jobs() if each["JobId"] == number)
        return found


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a SLURM with its files in an empty folder; end it."""
    made = Cluster(folder)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    gpus = [folder / f"gpu{number}" for number in range(8)]
    for each in gpus:
        each.touch()
    (folder / "gres.conf").write_text(f"NodeName=one Name=gpu File={folder}/gpu[0-7]\n")
    values = {"host": socket.gethostname(), "user": _user(), "folder": folder, "ports": _ports()}
    (folder / "slurm.conf").write_text(_CONFIGURATION.format(**values))
    daemons = [
        ["munged", "--foreground", "--force", f"--key-file={key}",
         f"--socket={folder}/munge.socket", f"--pid-file={folder}/munge.pid",
         f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed"],
        ["slurmctld", "-D", "-i", "-c"],
        ["slurmd", "-D", "-N", "one"],
    ]  # fmt: skip
    started: list[subprocess.Popen] = []
    try:
        for command, there in zip(daemons, (_socket, _answers, _idle), strict=True):
            with open(folder / f"{command[0]}.out", "wb") as told:
                program = shutil.which(command[0], path=_path())
                started.append(
                    subprocess.Popen(
                        [str(program), *command[1:]], env=os.environ | made.environment,
                        stdout=told, stderr=subprocess.STDOUT, start_new_session=True,
                    )
                )  # fmt: skip
            last = started[-1]
            until(lambda there=there, last=last: there(made) or last.poll() is not None, command[0])
            assert last.poll() is None, (folder / f"{command[0]}.out").read_text()[-3000:]
        yield made
    finally:
        if len(started) == len(daemons):
            made.run("scancel", "--signal=KILL", "--full", f"--user={_user()}")
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
        for process in reversed(started):
            until(lambda process=process: process.poll() is not None or ended(process.pid), "end")
            process.wait()  # at once; it may have ended between the two questions


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def _ports() -> list[int]:
    """Two ports that nobody has."""
    sockets = [socket.socket() for _ in range(2)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return found


def _socket(made: Cluster) -> bool:
    return (made.folder / "munge.socket").exists()


def _answers(made: Cluster) -> bool:
    try:
        return "UP" in made.run("scontrol", "ping")
    except subprocess.CalledProcessError:
        return False


def _idle(made: Cluster) -> bool:
    return "idle" in made.run("sinfo", "--noheader", "-o", "%T")


def main() -> None:
    """Start it, say how it is reached, and wait."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=False)
    with cluster(folder) as made:
        for name, value in made.environment.items():
            print(f"export {name}={value}")
        sys.stdout.flush()
        awaited = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, awaited)  # else they end it, and no daemon
        signal.sigwait(awaited)


if __name__ == "__main__":
    main()
