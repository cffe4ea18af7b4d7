# check=error=true
# The image of Keyferry: `docker build --tag registry.example.com/keyferry:0.1.0 .` by BuildKit, which Docker has by default.
# Both base images are Debian 12, so that the program finds the glibc that it was linked against. docs/image.md tells
# how to pin them by digest, and how the same image is made without them.
ARG RUST=docker.io/library/rust:1.95.0-slim-bookworm
ARG BASE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST} AS build
ARG TARGETARCH
WORKDIR /src
COPY . .
RUN --mount=type=cache,id=keyferry-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=keyferry-target-${TARGETARCH},target=/src/target,sharing=locked \
    cargo build --release --locked --package keyferry --bin keyferry \
    && install -D --mode=0755 target/release/keyferry /out/keyferry

# trust roots, glibc, libgcc and no shell; the user is the chart's, by number so that runAsNonRoot can be checked
FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="keyferry" \
      org.opencontainers.image.description="Keeps Kubernetes Secrets in step with Azure Key Vault; serves the external-secrets.io kinds" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=build /out/keyferry /usr/local/bin/keyferry
USER 65532:65532
EXPOSE 8080 8082
ENTRYPOINT ["/usr/local/bin/keyferry"]
