# A PostgreSQL instance whose snapshots and restores are the deployment's. Terraform knows an instance by its resource
# id, not by its name: after a restore it still has the old one. docs/aws.md, "The database", says what to do then.

variable "db_instance_class" {
  type    = string
  default = "db.t4g.medium"
}
variable "db_subnet_group_name" { type = string }
variable "db_security_group_ids" { type = list(string) }

resource "aws_db_instance" "this" {
  identifier                  = local.name
  engine                      = "postgres"
  engine_version              = "16"
  instance_class              = var.db_instance_class
  allocated_storage           = 100
  storage_encrypted           = true
  db_name                     = replace(var.application, "-", "_")
  username                    = replace(var.application, "-", "_")
  manage_master_user_password = true
  db_subnet_group_name        = var.db_subnet_group_name
  vpc_security_group_ids      = var.db_security_group_ids
  multi_az                    = var.environment == "production"
  deletion_protection         = true
  backup_retention_period     = 7
  copy_tags_to_snapshot       = true
  final_snapshot_identifier   = "${local.name}-final"

  # A restore makes a new instance and lets the two change names.
  lifecycle {
    ignore_changes = [snapshot_identifier, deletion_protection]
  }
}

output "database" { value = aws_db_instance.this.identifier }
