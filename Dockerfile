# kpviewer as a service on a CPU. How to use it: docs/guide/docker.md
#
#   docker build -t kpviewer .
#   docker run --rm -p 127.0.0.1:8000:8000 -e KPVIEWER_TOKEN=... kpviewer
ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS build
# Extras of kpviewer. The shipped models and ONNX files need none; all other models need torch:
# --build-arg EXTRAS=serve,torch,proposals
ARG EXTRAS=serve
# Index of the wheels of torch and torchvision, for the extra torch. pytorch.org names one for CPUs, which
# saves most of 6 GB. Empty: pip's own index, whose wheels have CUDA.
ARG TORCH_INDEX=
RUN python3 -m venv /opt/kpviewer
ENV PATH=/opt/kpviewer/bin:$PATH
# Both in one step: they must be builds of one kind.
RUN case ",${EXTRAS}," in *,torch,*) \
    pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} \
        "torch>=2.11" "torchvision>=0.26" ;; \
    esac
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY weights weights
COPY kpviewer kpviewer
RUN pip install --no-cache-dir ".[${EXTRAS}]"

FROM python:${PYTHON}-slim-bookworm
# Libraries that Qt and OpenCV load even without a screen, and a font for labels.
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        fonts-dejavu-core libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 libx11-6 \
        libxkbcommon0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 kpviewer
COPY --from=build /opt/kpviewer /opt/kpviewer
ENV PATH=/opt/kpviewer/bin:$PATH PYTHONUNBUFFERED=1 QT_QPA_PLATFORM=offscreen
USER 10001
WORKDIR /home/kpviewer
EXPOSE 8000
# With --tls: -e HEALTH_URL=https://127.0.0.1:8000/health
ENV HEALTH_URL=http://127.0.0.1:8000/health
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s CMD ["python3", "-c", \
    "import os, ssl; from urllib.request import urlopen; c = ssl.create_default_context(); \
    c.check_hostname = False; c.verify_mode = ssl.CERT_NONE; \
    urlopen(os.environ['HEALTH_URL'], timeout=4, context=c)"]
# Listening on all interfaces needs a token: KPVIEWER_TOKEN, else a new one is printed at each start.
ENTRYPOINT ["kpviewer", "serve", "--host", "0.0.0.0"]
