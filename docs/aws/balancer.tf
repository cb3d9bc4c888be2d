# An Application Load Balancer with a target group per color. Terraform makes them; deploytasks moves the weights.

variable "application" { type = string }
variable "environment" { type = string }
variable "vpc_id" { type = string }
variable "subnet_ids" { type = list(string) }
variable "security_group_ids" { type = list(string) }
variable "certificate_arn" { type = string }
variable "target_type" {
  type        = string
  default     = "instance"
  description = "instance for hosts over SSH or SSM, ip for ECS on Fargate"
}

locals {
  name = "${var.application}-${var.environment}"
}

resource "aws_lb" "this" {
  name               = local.name
  load_balancer_type = "application"
  subnets            = var.subnet_ids
  security_groups    = var.security_group_ids
}

resource "aws_lb_target_group" "color" {
  for_each             = toset(["blue", "green"])
  name                 = "${local.name}-${each.key}"
  port                 = each.key == "blue" ? 8101 : 8102
  protocol             = "HTTP"
  target_type          = var.target_type
  vpc_id               = var.vpc_id
  deregistration_delay = 30

  health_check {
    path                = "/health"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
    matcher             = "200"
  }
}

resource "aws_lb_listener" "public" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  # Nothing is exposed before the first deployment.
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "Not deployed yet."
      status_code  = "503"
    }
  }

  # Actions and tags are the deployment's from now on: an apply in the middle of one must not put them back.
  lifecycle {
    ignore_changes = [default_action, tags, tags_all]
  }
}

output "address" { value = aws_lb.this.dns_name } # where the public name leads
output "listener" { value = aws_lb_listener.public.arn }
output "groups" { value = { for color, group in aws_lb_target_group.color : color => group.arn } }
