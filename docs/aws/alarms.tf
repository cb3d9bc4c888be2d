# Alarms that take a release back: `alerts: {kind: cloudwatch, prefix: …}` finds them by the beginning of their names.

# What the load balancer itself answers with 5xx; a page for maintenance is not among it.
resource "aws_cloudwatch_metric_alarm" "balancer" {
  alarm_name          = "${local.name}-balancer-errors"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_ELB_5XX_Count"
  dimensions          = { LoadBalancer = aws_lb.this.arn_suffix }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  threshold           = 20
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching" # no error is no data point
}

resource "aws_cloudwatch_metric_alarm" "database" {
  alarm_name          = "${local.name}-database-cpu"
  namespace           = "AWS/RDS"
  metric_name         = "CPUUtilization"
  dimensions          = { DBInstanceIdentifier = local.name }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 5
  threshold           = 90
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "missing"
}
