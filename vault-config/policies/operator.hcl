# For the person who runs "vaultferry doctor": to see which audit devices there are. Vault guards that list by sudo.
path "sys/audit" {
  capabilities = ["read", "sudo"]
}
