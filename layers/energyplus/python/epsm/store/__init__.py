"""Where things are kept: objects in S3, records in DynamoDB. The only place that knows bucket keys and item keys."""
