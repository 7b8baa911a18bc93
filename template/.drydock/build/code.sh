#!/bin/sh
# Removes the files of unshipped.txt from /code. Copies the files that list dependencies to /listed, what the sections assets
# of build.sh read to /folders and /all, and all files but the tests to /ship: code.sh "LISTED..." TEST_FILE...
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

# What the sections assets of build.sh read: the folders that they name, or all of it. Nothing where there are none, so that no
# edit runs that stage
mkdir /folders /all
# shellcheck disable=SC2013 # words
for folder in $(cat /sections/folders/names); do
    if [ ! -e "$folder" ]; then echo "build.sh: the section assets names $folder, and the code has no such folder" >&2; exit 1; fi
    cp -a --parents "$folder" /folders
done

cp -a /code /ship
cd /ship
# shellcheck disable=SC2086 # one word a file
rm -rf $tests
# Tests: files with such a name that have tests in them, and each folder tests or test that holds one. Whatever else is
# called so is the application's own
has_tests='^[[:space:]]*(async +)?def test|^(import|from) +(pytest|unittest|django[.]test|rest_framework[.]test)( |$)'
{
    find . -type f \( -name 'test_*.py' -o -name '*_test.py' -o -name test.py -o -name tests.py \) -exec grep -lE "$has_tests" {} + || true
    find . \( -name conftest.py -o -name noxfile.py -o -name pytest.ini -o -name tox.ini \)
} | sed -E 's#^(.*/tests?)/.*#\1#' | xargs -r -d '\n' rm -rf
if [ -e /sections/assets/section.sh ]; then cp -a /ship/. /all; fi
