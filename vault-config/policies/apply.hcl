# For whoever runs apply.sh with its default names; give it for the hour that it is needed.
path "sys/policies/acl/vaultferry" {
  capabilities = ["create", "read", "update"]
}

path "sys/auth" {
  capabilities = ["read"]
}

path "sys/auth/approle" {
  capabilities = ["create", "update", "sudo"]
}

path "auth/+/role/vaultferry" {
  capabilities = ["create", "read", "update"]
}

path "auth/approle/role/vaultferry/role-id" {
  capabilities = ["create", "read", "update"]
}

path "auth/approle/role/vaultferry/secret-id" {
  capabilities = ["create", "update"]
}

path "auth/approle/role/vaultferry/secret-id/lookup" {
  capabilities = ["create", "update"]
}

path "sys/audit" {
  capabilities = ["read", "sudo"]
}

path "sys/audit/vaultferry" {
  capabilities = ["create", "update", "sudo"]
}

path "sys/audit/file" {
  capabilities = ["create", "update", "sudo"]
}
