# Who deploys, what the dead-man's switch may, and who only reads. Take the policies of the parts that you use.

variable "github_repository" {
  type        = string
  description = "owner/name: its jobs in the GitHub environment called as this one may take the role"
}
variable "people" {
  type        = list(string)
  default     = []
  description = "ARNs of the roles or users of people who deploy from a desk, by aws.role_arn"
}
variable "auditors" {
  type        = list(string)
  default     = []
  description = "ARNs of who may read and verify the ledgers; none: no such role is made"
}
variable "bucket" { type = string }
variable "policies" {
  type    = list(string)
  default = ["elbv2", "scheduler", "rds", "cloudwatch", "ledger", "secrets"]
}

data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

locals {
  names = {
    account     = data.aws_caller_identity.this.account_id
    region      = data.aws_region.this.name # provider 6 calls it region, and only warns of this name
    application = var.application
    environment = var.environment
    bucket      = var.bucket
    repository  = var.github_repository
  }
}

data "aws_iam_policy_document" "who_deploys" {
  source_policy_documents = [templatefile("${path.module}/github-trust.json", local.names)]

  dynamic "statement" {
    for_each = length(var.people) > 0 ? [var.people] : []
    content {
      actions = ["sts:AssumeRole"]
      principals {
        type        = "AWS"
        identifiers = statement.value
      }
    }
  }
}

resource "aws_iam_role" "deploy" {
  name                 = "${local.name}-deploy"
  assume_role_policy   = data.aws_iam_policy_document.who_deploys.json
  max_session_duration = 7200 # as long as a job may ask for it: longer than a deployment takes
}

resource "aws_iam_role_policy" "deploy" {
  for_each = toset(var.policies)
  name     = each.key
  role     = aws_iam_role.deploy.id
  policy   = templatefile("${path.module}/${each.key}-policy.json", local.names)
}

# What EventBridge Scheduler may do in our name: put the weights of this balancer, and nothing else.
resource "aws_iam_role" "deadman" {
  name               = "${local.name}-deadman"
  assume_role_policy = templatefile("${path.module}/deadman-trust.json", local.names)
}

resource "aws_iam_role_policy" "deadman" {
  name   = "traffic-home"
  role   = aws_iam_role.deadman.id
  policy = templatefile("${path.module}/deadman-policy.json", local.names)
}

# Who only reads.
data "aws_iam_policy_document" "auditors" {
  count = length(var.auditors) > 0 ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = var.auditors
    }
  }
}

resource "aws_iam_role" "auditor" {
  count              = length(var.auditors) > 0 ? 1 : 0
  name               = "${local.name}-auditor"
  assume_role_policy = data.aws_iam_policy_document.auditors[0].json
}

resource "aws_iam_role_policy" "auditor" {
  count  = length(var.auditors) > 0 ? 1 : 0
  name   = "read-ledgers"
  role   = aws_iam_role.auditor[0].id
  policy = templatefile("${path.module}/auditor-policy.json", local.names)
}

output "deploy_role" { value = aws_iam_role.deploy.arn }
output "deadman_role" { value = aws_iam_role.deadman.arn }
