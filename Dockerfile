# One image with every role: `souk serve`, `souk subgraph NAME`, `souk router`, `souk relay`, and the operator's commands.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked -p souk && cp target/release/souk /usr/local/bin/souk

FROM debian:bookworm-slim
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data souk && install --directory --owner souk --mode 0700 /data
COPY --from=build /usr/local/bin/souk /usr/local/bin/souk
USER souk
# Everybody who reaches the container: a subgraph asks for a cluster secret then.
ENV SOUK_HOST=0.0.0.0 SOUK_PORT=4000 SOUK_DATA_DIR=/data SOUK_LOG_FORMAT=json
VOLUME /data
EXPOSE 4000
ENTRYPOINT ["souk"]
CMD ["serve"]
