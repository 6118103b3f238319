export const USAGE = `vaultferry carries secrets from Vault or OpenBao KV to AWS Secrets Manager.

Usage: vaultferry COMMAND [--config FILE] [--json] …

Commands
  serve [--role ingress] [--role worker]   run the roles (all by default) until SIGTERM
  replicate REF…                           put these secrets on the queue now
  config check [--role …]                  is the configuration valid (for these roles)?
  config print                             the effective configuration, secrets masked
  config schema                            its JSON Schema

Options
  --config FILE    the configuration; else $VAULTFERRY_CONFIG (a path, or the YAML itself), else vaultferry.yaml
  --json           results as JSON
  --help           this text, or a command's
  --version        the version

REF is [namespace:]mount/path, e.g. hybrid-aws-secrets/app/db or team-a:kv/app/db; a ":" or "%" inside mount or path
is written %3A or %25.

Exit codes: 0 done; 1 failed; 2 usage or configuration error.
Results go to stdout, logs to stderr: JSON lines, or for people when stderr is a terminal.
`;

export const HELP: Readonly<Record<string, string>> = {
  serve: `Usage: vaultferry serve [--role ingress] [--role worker] [--config FILE]

Runs the roles until SIGTERM: all of them, or those that are named.
  ingress   takes in Vault's audit log and puts references to changed secrets on the queue
  worker    reads each changed secret from Vault and writes it to Secrets Manager; sweeps

Logs {"event":"ready",…} with the real addresses once everything listens. It listens before it asks anything of Vault
or AWS, and keeps trying while they are down: GET /readyz at admin.listen tells what is lacking.

Exit codes: 0 after SIGTERM; 1 if a listener cannot bind; 2 if the configuration or the queues are unfit.
`,
  replicate: `Usage: vaultferry replicate REF… [--config FILE] [--json]

Puts a reference to each secret on the queue, for every destination that its routes lead to. A worker then compares
both ends and writes what differs. Needs no Vault, only the right to send to the queue.

REF is [namespace:]mount/path, e.g. hybrid-aws-secrets/app/db or team-a:kv/app/db.

Exit codes: 0 all are queued; 1 a REF is not routed, or SQS refused; 2 usage or configuration error.
`,
  config: `Usage: vaultferry config check [--role ingress] [--role worker] [--config FILE] [--json]
       vaultferry config print [--config FILE] [--json]
       vaultferry config schema

check    names every wrong key, what was expected there, and the nearest known key; never a value
print    the configuration as it will be used: defaults filled in, secrets masked
schema   the JSON Schema of the configuration file, for editors

Exit codes: 0 valid; 2 not valid.
`,
};
