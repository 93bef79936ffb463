# One Dockerfile for every connector; `make images` calls it. The binary was built on the host, so no toolchain image is needed, and no
# step runs inside the image, so an image for any platform can be built anywhere.
#
# The base must bring a POSIX sh with sleep, mv and kill: the platform does not start the entrypoint but a script around it.
ARG BASE=busybox:1.37-musl
FROM ${BASE}

# The user airbyte (1000:1000) and the folders that the platform mounts or writes to.
COPY build/image/etc/ /etc/
COPY --chown=1000:1000 build/image/owned/ /

ARG CONNECTOR
ARG TARGETARCH
# Not in /airbyte, where its user could replace it and where a volume over the work directory would hide it.
COPY build/linux_${TARGETARCH}/${CONNECTOR} /usr/local/bin/connector

USER 1000:1000
WORKDIR /airbyte
ENV AIRBYTE_ENTRYPOINT=/usr/local/bin/connector
ENTRYPOINT ["/usr/local/bin/connector"]

# Both come from the connector's metadata.yaml.
ARG NAME
ARG VERSION
LABEL io.airbyte.name="${NAME}" \
      io.airbyte.version="${VERSION}" \
      org.opencontainers.image.title="${CONNECTOR}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.source="https://github.com/imob-data/airbyte-connectors" \
      org.opencontainers.image.licenses="MIT"
