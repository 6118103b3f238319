#!/bin/sh
# Creates VaultFerry's two queues at $AWS_ENDPOINT_URL. Run it again: queues that are there stay as they are.
set -eu

common='"FifoQueue": "true", "MessageRetentionPeriod": "1209600", "SqsManagedSseEnabled": "true"'

# create NAME MORE: a FIFO queue with the attributes MORE beside the common ones; prints its URL.
create() {
  aws sqs create-queue --queue-name "$1" --attributes "{ $common${2:+, $2} }" --query QueueUrl --output text
}

dead_letter_url=$(create vaultferry-dlq.fifo '')
dead_letter_arn=$(aws sqs get-queue-attributes --queue-url "$dead_letter_url" --attribute-names QueueArn \
  --query Attributes.QueueArn --output text)
policy="{\\\"deadLetterTargetArn\\\":\\\"$dead_letter_arn\\\",\\\"maxReceiveCount\\\":\\\"100\\\"}"
url=$(create vaultferry.fifo "\"VisibilityTimeout\": \"30\", \"DeduplicationScope\": \"messageGroup\",
  \"FifoThroughputLimit\": \"perMessageGroupId\", \"RedrivePolicy\": \"$policy\"")
printf 'queues: %s %s\n' "$url" "$dead_letter_url"
