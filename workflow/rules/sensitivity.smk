# Asked for by name, `snakemake --cores 8 sensitivity`: no part of `all`, and unknown to DVC. Once
# there are results the report shows them, and they are kept in step with the runs.
rule sensitivity:
    input:
        [f"{SENSITIVE.format(task=task)}/sensitivity.json" for task in TASKS if resizable(task)],
    localrule: True


rule sensitivity_variant:
    input:
        manifest="data/prepared/{task}/manifest.parquet",
        test="data/prepared/{task}/splits/test.parquet",
        crops=lambda wc: crops_of(wc.task),
        runs=lambda wc: runs_of(wc.task),
    output:
        f"{SENSITIVE}/{{variant}}.parquet",
    log:
        "logs/sensitivity/{task}-{variant}.log",
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
        faces=lambda wc, input: os.path.dirname(input.crops[0]),
    shell:
        "exec lssat variant --task {wildcards.task} --variant {wildcards.variant} --runs runs"
        " --manifest {input.manifest} --test {input.test} --faces {params.faces} --out {output}"
        " --device {params.device} --params {params.section:q} > {log} 2>&1"


rule sensitivity_table:
    input:
        test="data/prepared/{task}/splits/test.parquet",
        faces=lambda wc: shards(wc.task, "data/prepared/{task}/faces/shard-{shard}.parquet"),
        metrics="results/tasks/{task}/metrics.json",
        predictions="results/tasks/{task}/predictions.parquet",
        variants=lambda wc: [
            f"{SENSITIVE.format(task=wc.task)}/{name}.parquet" for name in variants(wc.task)
        ],
    output:
        json=f"{SENSITIVE}/sensitivity.json",
        table=f"{SENSITIVE}/sensitivity.csv",
        picture=f"{SENSITIVE}/sensitivity.svg",
    log:
        "logs/sensitivity/{task}.log",
    threads: 1
    params:
        section=read("sensitivity"),
        code=code("sensitivity"),
        faces=lambda wc, input: [f"--faces {file}" for file in input.faces],
        variants=lambda wc, input: [f"--variants {file}" for file in input.variants],
    shell:
        "exec lssat sensitivity --task {wildcards.task} --test {input.test} --metrics {input.metrics}"
        " --predictions {input.predictions} {params.faces} {params.variants} --out {output.json}"
        " --table {output.table} --picture {output.picture} --params {params.section:q} > {log} 2>&1"
