# One image for page (7860), shared links (7870) and worker. It binds beyond the machine, so it needs a login:
#   docker build -t tandem .
#   docker run -p 7860:7860 -p 7870:7870 -v tandem:/workspace -e TANDEM_USER=ada -e TANDEM_PASSWORD=... tandem
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 tandem && install -d -o tandem /workspace
WORKDIR /app
COPY constraints.txt ./
# Frameworks first: they are large and change seldom. Where pip finds a CPU build of torch (an
# extra index given as a build argument, say), that is what the image holds.
ARG PIP_EXTRA_INDEX_URL=""
RUN pip install --no-cache-dir --constraint constraints.txt torch transformers peft bitsandbytes \
    datasets sentence-transformers gradio
COPY pyproject.toml README.md LICENSE ./
COPY trainer ./trainer
COPY assistant ./assistant
COPY data ./data
RUN PIP_CONSTRAINT=constraints.txt pip install --no-cache-dir '.[postgres]'

USER tandem
ENV TANDEM_WORKSPACE=/workspace HF_HOME=/workspace/hub PYTHONUNBUFFERED=1
VOLUME /workspace
EXPOSE 7860 7870
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/', timeout=4)"]
CMD ["tandem", "serve", "--host", "0.0.0.0", "--port", "7860"]
