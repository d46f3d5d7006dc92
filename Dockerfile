# Two images. `docker build -t streamtool .` has every command:
#
#     docker run --rm --read-only --tmpfs /tmp streamtool --help
#
# `docker build --target passthrough -t streamtool-passthrough .` is `streamtool passthrough` and takes arguments only, as
# Spring Cloud Data Flow starts its applications. docs/kubernetes.md tells how to run both.

ARG NODE_IMAGE=node:22-alpine

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY src src
RUN npm run build && npx oclif manifest && npm prune --omit=dev --ignore-scripts && npm cache clean --force

FROM ${NODE_IMAGE} AS runtime
ENV NODE_ENV=production \
    STREAMTOOL_STATE_DIR=/tmp/streamtool \
    STREAMTOOL_PROGRESS=none
COPY --from=build /build/package.json /build/oclif.manifest.json /opt/streamtool/
COPY --from=build /build/bin /opt/streamtool/bin
COPY --from=build /build/dist /opt/streamtool/dist
COPY --from=build /build/node_modules /opt/streamtool/node_modules
COPY deploy/docker/healthcheck.mjs /opt/streamtool/healthcheck.mjs
RUN ln -s /opt/streamtool/bin/run.js /usr/local/bin/streamtool \
 && chmod 0755 /opt/streamtool/bin/run.js \
 && mkdir /data && chown node:node /data
# By number, so that Kubernetes can see that it is not root. 1000 is `node`.
USER 1000:1000
STOPSIGNAL SIGTERM
# Answered by the process itself: it is about the process, never about the brokers.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "/opt/streamtool/healthcheck.mjs"]

# Data Flow gives arguments and nothing else. The working directory is /, so that /config/application.properties is found,
# where Data Flow writes the INSTANCE_INDEX of an application with several instances.
FROM runtime AS passthrough
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["streamtool", "passthrough"]

FROM runtime AS streamtool
WORKDIR /data
ENV STREAMTOOL_METRICS_PORT=8080 \
    STREAMTOOL_METRICS_ADDRESS=0.0.0.0
EXPOSE 8080
ENTRYPOINT ["streamtool"]
CMD ["--help"]
