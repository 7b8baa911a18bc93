#!/bin/sh
# Removes the files of unshipped.txt from /code. Copies the files that list dependencies to /listed, and all files but
# the tests to /ship: code.sh "LISTED..." TEST_FILE...
set -euf

cd /code
listed=$1
shift
tests=$*
set -- -false
exceptions=
# shellcheck disable=SC2086 # a pattern
while read -r name; do
    case $name in
        '#'*) ;;
        '!'*) exceptions="$exceptions ! -name ${name#!}" ;;
        /*) set +f && rm -rf .$name && set -f ;;
        # Files: a folder such as order_history is code
        '*'*) set -- "$@" -o -type f -name "$name" ;;
        *) set -- "$@" -o -name "$name" ;;
    esac
done </inputs/unshipped.txt
# shellcheck disable=SC2086 # one word an option
find . -mindepth 1 $exceptions \( "$@" \) -prune -exec rm -rf {} +

mkdir /listed
set -- -false
for name in $listed; do set -- "$@" -o -name "$name"; done
find . -type f \( "$@" \) -exec cp --parents --target-directory /listed {} +

cp -a /code /ship
cd /ship
# shellcheck disable=SC2086 # one word a file
rm -rf $tests
find . \( -name tests -o -name 'test_*.py' -o -name '*_test.py' -o -name conftest.py -o -name pytest.ini \) -prune -exec rm -r {} +
