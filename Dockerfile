# syntax=docker/dockerfile:1
# The command as a small image that runs as an unprivileged user:
#   docker build -t signalwire-orders .
#   docker run --rm -v orders:/data -e SOURCES__SIGNALWIRE__SPACE=… signalwire-orders run
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS build
WORKDIR /build
COPY requirements/run.lock ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r run.lock
COPY pyproject.toml README.md ./
COPY .dlt/config.toml .dlt/config.toml
COPY pipelines pipelines
COPY sources sources
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .
# a container that runs for a second should not compile for another one
RUN /opt/venv/bin/python -m compileall -q -j 0 /opt/venv/lib

FROM python:${PYTHON}-slim
RUN useradd --create-home --uid 10001 orders && install -d -o orders /data
COPY --from=build /opt/venv /opt/venv
# dlt's working directory and the log go where the volume is
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    DLT_DATA_DIR=/data/dlt
USER orders
WORKDIR /data
VOLUME /data
ENTRYPOINT ["signalwire-orders"]
CMD ["run", "--log-format", "json"]
