# The demo's Vault: one node that keeps what it has in a volume, without TLS, for a network of its own and no other.
ui            = true
disable_mlock = true
log_level     = "warn"
api_addr      = "http://127.0.0.1:8200"
cluster_addr  = "https://127.0.0.1:8201"

listener "tcp" {
  address         = "0.0.0.0:8200"
  cluster_address = "127.0.0.1:8201"
  tls_disable     = true
}

storage "raft" {
  path    = "/vault/file"
  node_id = "demo"

  # A single node needs no long election.
  performance_multiplier = 1
}
