# Asked for by name, `snakemake --cores 8 sensitivity`: no part of `all`, and unknown to DVC. Once
# there are results the report shows them, and they are kept in step with the runs.
rule sensitivity:
    input:
        [HERE.results.task(task).sensitivity.json for task in TASKS if resizable(task)],
    localrule: True


rule sensitivity_variant:
    input:
        DATA.manifest,
        DATA.splits.test,
        lambda wc: crops_of(wc.task),
        lambda wc: runs_of(wc.task),
    output:
        RESULTS.sensitivity.variant("{variant}"),
    log:
        HERE.log("sensitivity", "{task}-{variant}"),
    wildcard_constraints:
        variant=r"(margin|frames)-[0-9.]+",
    threads: PARAMS.train.threads
    resources:
        gpu=GPUS,
        slurm_partition=partition(GPUS),
    params:
        section=read("variant"),
        code=code("variant"),
        device=device,
    shell:
        "exec lssat variant --task {wildcards.task} --variant {wildcards.variant}"
        " --device {params.device} --params {params.section:q} > {log} 2>&1"


rule sensitivity_table:
    input:
        DATA.splits.test,
        lambda wc: tables_of(wc.task),
        RESULTS.metrics,
        RESULTS.predictions,
        lambda wc: map(HERE.results.task(wc.task).sensitivity.variant, variants(wc.task)),
    output:
        RESULTS.sensitivity.json,
        RESULTS.sensitivity.table,
        RESULTS.sensitivity.picture,
    log:
        HERE.log("sensitivity", "{task}"),
    threads: 1
    params:
        section=read("sensitivity"),
        code=code("sensitivity"),
    shell:
        "exec lssat sensitivity --task {wildcards.task} --params {params.section:q} > {log} 2>&1"
