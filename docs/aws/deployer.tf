# Who deploys, what the dead-man's switch may, and who only reads. Take the policies of the parts that you use.

variable "github_repository" {
  type        = string
  description = "owner/name: its jobs in the GitHub environment of the same name may take the role"
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
    region      = data.aws_region.this.name
    application = var.application
    environment = var.environment
    bucket      = var.bucket
    repository  = var.github_repository
  }
}

resource "aws_iam_role" "deploy" {
  name               = "${local.name}-deploy"
  assume_role_policy = templatefile("${path.module}/github-trust.json", local.names)
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

output "deploy_role" { value = aws_iam_role.deploy.arn }
output "deadman_role" { value = aws_iam_role.deadman.arn }
