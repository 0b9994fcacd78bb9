# the validator
