variable "mounts" {
  description = "The KV v2 mounts that VaultFerry replicates, each as [NAMESPACE:]MOUNT, as in its routes."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for mount in var.mounts : can(regex("^([^:]*[^:/]:)?[^:/]([^:]*[^:/])?/*$", mount))])
    error_message = "A mount is written [NAMESPACE:]MOUNT; a colon within either is written %3A."
  }

  validation {
    condition     = alltrue([for mount in var.mounts : !can(regex("[\"\\\\*$${}[:cntrl:]]|//|(^|[/:])\\+([/:]|$)", mount))])
    error_message = "A policy cannot name a mount with an empty segment, a segment \"+\", or one of \" \\ * $ { }."
  }
}

variable "openbao" {
  description = "Whether the server is OpenBao: its policy has lines that Vault refuses, and its audit devices are declared in its configuration."
  type        = bool
  default     = false
}

variable "name" {
  description = "Name of the policy and of the roles."
  type        = string
  default     = "vaultferry"
}

variable "namespace" {
  description = "Namespace of the policy and the roles; the mounts must be in it or below it. null is the root namespace."
  type        = string
  default     = null
}

variable "cidrs" {
  description = "Tokens, and AppRole's secret ids, are good from these addresses alone; empty: from anywhere."
  type        = list(string)
  default     = []
}

variable "approle" {
  description = "An AppRole role at the auth method `path`, which is enabled here if `enable`; `role_id` null lets the server choose. The secret id is not made here, since it would stand in the state: see apply.sh --secret-id-file."
  type = object({
    path    = optional(string, "approle")
    enable  = optional(bool, false)
    role_id = optional(string)
  })
  default = null
}

variable "aws" {
  description = "A role for these IAM principals at the AWS auth method `path`, which must be enabled."
  type = object({
    path           = optional(string, "aws")
    principal_arns = list(string)
  })
  default = null
}

variable "kubernetes" {
  description = "A role for this service account at the Kubernetes auth method `path`, which must be enabled."
  type = object({
    path            = optional(string, "kubernetes")
    namespace       = string
    service_account = string
    audience        = optional(string, "vault")
  })
  default = null
}

variable "audit" {
  description = "Vault's audit devices: the file (a path on Vault's machine) and the socket (HOST:PORT or /PATH of VaultFerry's ingress, which must listen by then). null where another device stands already, or for no socket."
  type = object({
    file         = optional(string)
    socket       = optional(string)
    other_device = optional(bool, false)
  })
  default = {}
}

variable "kv1_mounts" {
  description = "The KV v1 mounts that VaultFerry replicates, each as [NAMESPACE:]MOUNT, as in its routes."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for mount in var.kv1_mounts : can(regex("^([^:]*[^:/]:)?[^:/]([^:]*[^:/])?/*$", mount))])
    error_message = "A mount is written [NAMESPACE:]MOUNT; a colon within either is written %3A."
  }

  validation {
    condition     = alltrue([for mount in var.kv1_mounts : !can(regex("[\"\\\\*$${}[:cntrl:]]|//|(^|[/:])\\+([/:]|$)", mount))])
    error_message = "A policy cannot name a mount with an empty segment, a segment \"+\", or one of \" \\ * $ { }."
  }
}
