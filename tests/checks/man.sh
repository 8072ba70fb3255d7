#!/bin/sh
# SOURCE BUILD: mandoc has nothing to say about the man pages, and each tells every option that its
# sub-command's --help tells, and no other.
set -eu
command -v mandoc >/dev/null || {
    echo 'skipped: mandoc is not installed'
    exit 77
}
cd "$1/docs/man"
bulkhead=$2/bulkhead
mandoc -T lint -W warning ./*.1
[ -x "$bulkhead" ] || exit 0

options() { # long options in the text on standard input, one a line
    grep -oE -e '--[a-z][a-z-]+' | grep -vxE -e '--(help|usage|version)' | sort -u
}

status=0
for page in bulkhead-*.1; do
    name=${page#bulkhead-}
    name=${name%.1}
    told=$("$bulkhead" "$name" --help | options || :)
    written=$(mandoc -T ascii "$page" | sed 's/.\x08//g' | options || :)
    if [ "$told" != "$written" ]; then
        echo "$page and \`bulkhead $name --help\` name different options:"
        echo "$told" >"$2/man-help.txt"
        echo "$written" | diff "$2/man-help.txt" - || :
        status=1
    fi
done
for name in $("$bulkhead" --help | sed -n 's/^  \([a-z]\{3,\}\) .*/\1/p'); do
    [ -e "bulkhead-$name.1" ] || {
        echo "bulkhead $name has no man page"
        status=1
    }
done
exit $status
