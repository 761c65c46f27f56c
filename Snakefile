# The whole benchmark as one graph: raw trees -> manifest -> faces -> texture -> splits -> runs ->
# metrics -> report. What is run is said by params.yaml, where it runs by profiles/.
# Used only with `--software-deployment-method apptainer`; ordinarily the steps run from .venv. An
# image of the Dockerfile, which has lssat in it; docs/cluster.md says how it is made.
container: "lssat.sif"


# What `snakemake --report results/snakemake.zip` says of the whole; each result has its caption.
report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/runs.smk"
include: "workflow/rules/sensitivity.smk"


localrules:
    all,
    shared,


# Also what lies between: were only the last files named, Snakemake would find nothing to do where
# runs or crops are missing below a finished report.
rule all:
    input:
        kept(),
        REPORT["report"],
        HERE.results.attached,
        HERE.results.gallery,


# What DVC keeps: all but the gallery of faces, which stays on the machine that made it.
rule shared:
    input:
        kept(),
        REPORT["report"],
        HERE.results.attached,


onstart:
    refuse_what_lacks()
    HOOKS.start(PARAMS, HARDWARE, PARAMS.train.threads if SHORT else None)


onsuccess:
    HOOKS.end(failed=False)
    if HOOKS.saves and "LSSAT_RUN" not in os.environ and REPORT["report"].exists():
        shell("lssat show")


onerror:
    HOOKS.end(failed=True)
