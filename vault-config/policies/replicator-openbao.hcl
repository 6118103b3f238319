# OpenBao alone: the whole of ${mount} in one answer.
# Without it each folder and each secret is a request of its own. Vault refuses a policy that names "scan".
path "${mount}/metadata/*" {
  capabilities = ["scan"]
}

path "${mount}/detailed-metadata/*" {
  capabilities = ["list", "scan"]
}
