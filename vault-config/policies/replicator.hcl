# VaultFerry reads the mount ${mount} and changes nothing there.

# Each secret's current value.
path "${mount}/data/*" {
  capabilities = ["read"]
}

# The names in a folder (list), and a secret's versions without their values (read).
path "${mount}/metadata/*" {
  capabilities = ["read", "list"]
}
