# The bucket of ledger and lease. What is recorded in it can neither be changed nor deleted while it is retained.
# One bucket is for all environments of an account: keep this in a folder of its own, applied once.

variable "bucket" { type = string }

resource "aws_s3_bucket" "ledger" {
  bucket              = var.bucket
  object_lock_enabled = true # each event says itself how long it is kept (`store.retain`)

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "ledger" {
  bucket = aws_s3_bucket.ledger.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "ledger" {
  bucket = aws_s3_bucket.ledger.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "ledger" {
  bucket                  = aws_s3_bucket.ledger.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "ledger" {
  bucket = aws_s3_bucket.ledger.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# Head and lease are written over all the time. Versions that are retained stay, whatever this says.
resource "aws_s3_bucket_lifecycle_configuration" "ledger" {
  bucket     = aws_s3_bucket.ledger.id
  depends_on = [aws_s3_bucket_versioning.ledger]

  rule {
    id     = "older-heads-and-leases"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "ledger" {
  bucket     = aws_s3_bucket.ledger.id
  policy     = templatefile("${path.module}/ledger-bucket.json", { bucket = var.bucket })
  depends_on = [aws_s3_bucket_public_access_block.ledger]
}

output "ledger_bucket" { value = aws_s3_bucket.ledger.bucket }
