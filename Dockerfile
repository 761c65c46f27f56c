# lssat in the environment of the lock: `docker build --tag lssat:0.1.0 .` (docs/cluster.md).
FROM python:3.11-bookworm

# Where a container finds lssat. In a pod the code that was sent with the job comes first.
ENV PATH=/lssat/.venv/bin:$PATH VIRTUAL_ENV=/lssat/.venv PYTHONPATH=/workdir
WORKDIR /lssat

# As `make` does on any machine; again only where the lock changes.
COPY Makefile pyproject.toml requirements.lock README.md LICENSE ./
COPY lssat/__init__.py lssat/
RUN make .venv

# Snakemake installs its storage plugin anew in each pod: the lock's, and nothing is downloaded.
RUN sed --quiet '/^snakemake-storage-plugin-s3==/,/[^\\]$/p' requirements.lock > plugin.txt \
    && pip download --quiet --no-deps --require-hashes --dest wheels --requirement plugin.txt
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/lssat/wheels PIP_NO_DEPS=1

COPY lssat lssat
WORKDIR /workdir
