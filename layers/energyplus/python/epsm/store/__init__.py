"""Access to AWS: objects in S3, records in DynamoDB, executions. The only package that knows keys of objects and
items."""
