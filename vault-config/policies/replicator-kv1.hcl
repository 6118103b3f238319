# VaultFerry reads the KV version 1 mount ${mount} and changes nothing there: each secret's value (read), and the names
# in a folder (list).
path "${mount}/*" {
  capabilities = ["read", "list"]
}
