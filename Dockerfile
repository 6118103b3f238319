# VaultFerry's image. `docker build -t vaultferry --build-arg VERSION=… --build-arg REVISION=$(git rev-parse HEAD) .`
# npm settings for another registry, where one is needed: --secret id=npmrc,src=$HOME/.npmrc
FROM node:24-bookworm-slim AS base

FROM base AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm --mount=type=secret,id=npmrc,target=/root/.npmrc \
  npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build && chmod 755 dist/cli.js

FROM base AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm --mount=type=secret,id=npmrc,target=/root/.npmrc \
  npm ci --omit=dev --ignore-scripts --no-audit --no-fund

# A stage of its own: nothing of the generator gets into the image but the list that it writes.
FROM dependencies AS sbom
RUN --mount=type=cache,target=/root/.npm --mount=type=secret,id=npmrc,target=/root/.npmrc \
  npx --yes @cyclonedx/cyclonedx-npm@6.0.1 --omit dev --output-reproducible --output-file /sbom.cdx.json

FROM base
ENV NODE_ENV=production \
  VAULTFERRY_CONFIG=/etc/vaultferry/vaultferry.yaml
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=sbom /sbom.cdx.json ./
COPY package.json LICENSE ./
# A volume mounted at /run/vaultferry begins with this owner: the ingress's unix socket may stand there.
RUN ln -s /app/dist/cli.js /usr/local/bin/vaultferry && mkdir /run/vaultferry && chown 1000:1000 /run/vaultferry
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="VaultFerry" \
  org.opencontainers.image.description="Carries secrets from HashiCorp Vault and OpenBao KV to AWS Secrets Manager" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# The base image's user `node`, as a number: Kubernetes' runAsNonRoot knows no names.
USER 1000:1000
# Alive, not ready: while Vault or AWS is down a restart would help nobody. Reads the same configuration.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["node", "/app/dist/healthcheck.js"]
# Node is the first process and gets the signals itself.
ENTRYPOINT ["node", "/app/dist/cli.js"]
CMD ["serve"]
