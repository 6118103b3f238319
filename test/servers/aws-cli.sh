#!/bin/sh
# The AWS CLI of the image, turned to the emulator: its version 1 does not know AWS_ENDPOINT_URL.
exec /usr/local/bin/aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"
