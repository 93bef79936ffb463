# A connector, and a source that uses it, in Airbyte. terraform init && terraform apply
terraform {
  required_providers {
    airbyte = {
      source  = "airbytehq/airbyte"
      version = "~> 1.1"
    }
  }
}

variable "server_url" {
  type        = string
  description = "Airbyte's API, as in http://localhost:8000/api/public/v1"
}

variable "client_id" {
  type = string
}

variable "client_secret" {
  type      = string
  sensitive = true
}

variable "workspace_id" {
  type = string
}

variable "dwv_token" {
  type      = string
  sensitive = true
}

provider "airbyte" {
  server_url    = var.server_url
  client_id     = var.client_id
  client_secret = var.client_secret
}

resource "airbyte_source_definition" "dwv" {
  name              = "DWV"
  workspace_id      = var.workspace_id
  docker_repository = "ghcr.io/imob-data/source-dwv"
  docker_image_tag  = "0.3.6"
  documentation_url = "https://github.com/imob-data/airbyte-connectors"
}

resource "airbyte_source" "dwv" {
  name          = "DWV"
  workspace_id  = var.workspace_id
  definition_id = airbyte_source_definition.dwv.id
  configuration = jsonencode({
    token = var.dwv_token
  })
}
