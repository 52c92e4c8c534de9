"""The sandbox of drctl: ministack, made to fill its gaps and, in strict mode, as unkind as AWS.

This package is loaded into ministack's own process and started instead of it:
`python -m drctl_sandbox`. Nothing of ministack is changed on disk. A request
reaches ministack's service through one door (`calls.dispatch`), and each module
named after a service holds the rules that stand in that door.
"""
