#!/bin/sh
# The command line: wrong input gets a message that helps, and the right exit status.
. "$(dirname "$0")/lib.sh"

expect 2 "$bulkhead"
says err "Usage: bulkhead COMMAND"
expect 0 "$bulkhead" --help
says out "explain"
expect 0 "$bulkhead" --version
expect 2 "$bulkhead" explian
says err "did you mean explain?"
expect 2 "$bulkhead" zzzzzz
says err "there is no command zzzzzz"

for command in doctor list check explain run iso import report compare peer; do
    expect 0 "$bulkhead" $command --help
    says out "Usage: bulkhead $command"
    expect 2 "$bulkhead" $command --no-such-option
done

expect 2 "$bulkhead" list
expect 2 "$bulkhead" list layuots
says err "did you mean layouts?"
expect 2 "$bulkhead" list layouts --backend qemu
says err "--backend goes with \`list mechanisms\`"
expect 2 "$bulkhead" list mechanisms --backend qmeu
says err "did you mean qemu?"
expect 2 "$bulkhead" list mechanisms --cpu ryzen
says err "--cpu goes with --backend bochs"
for kind in layouts workloads experiments; do
    expect 0 "$bulkhead" list $kind
done
expect 0 "$bulkhead" list layouts
says out "hip-r3-s"
expect 1 env BULKHEAD_DATA="$work/nowhere" "$bulkhead" list layouts

expect 2 "$bulkhead" check
printf 'layout: broken\ndomans: {}\n' >"$work/broken.yaml"
expect 1 "$bulkhead" check "$work/broken.yaml"
says err "broken.yaml:2:"

expect 2 "$bulkhead" explain sip-page
expect 1 "$bulkhead" explain sip-paeg abi-call
says err "sip-page"
expect 0 env BULKHEAD_IMAGES="$images" "$bulkhead" explain hip-r3-s ping-pong
says out "client"
expect 0 env BULKHEAD_IMAGES="$images" "$bulkhead" explain hip-r3-s ping-pong --dot
says out "digraph"
expect 1 env BULKHEAD_IMAGES="$images" "$bulkhead" explain hip-r3-s ping-pong --set byts=1
says err "did you mean bytes?"
expect 2 "$bulkhead" explain hip-r3-s ping-pong --set bytes
says err "NAME=NUMBER"
expect 0 "$bulkhead" list workloads
says out "Presets: quick, 1s"
expect 1 "$bulkhead" run --layout sip-page --workload webfiles --set preset=ful
says err "did you mean full?"

expect 2 "$bulkhead" run
expect 2 "$bulkhead" run ladder --layout sip-page
expect 2 "$bulkhead" run --layout sip-page
expect 2 "$bulkhead" run ladder --resume
says err "--resume needs --out"
expect 2 "$bulkhead" run ladder --repeats many
says err "--repeats takes a number from 1"
expect 2 "$bulkhead" run ladder --memory 64
says err "for instance 64M"
# A value that can be read but not be taken is wrong input.
expect 1 "$bulkhead" run ladder --repeats 0
says err "--repeats is 0, expected 1 to 10000"
expect 1 "$bulkhead" run ladder --samples 1025
says err "--samples is 1025, expected 1 to 1024"
expect 1 "$bulkhead" run ladder --batch 0
says err "--batch is 0, expected 1 to"
expect 1 "$bulkhead" run ladder --memory 16M
says err "--memory is 16M, expected an even number of MiB from 32M"
expect 2 "$bulkhead" run ladder --backend qmeu
says err "did you mean qemu?"
expect 1 "$bulkhead" run laddder
says err "ladder"
expect 2 "$bulkhead" doctor --format xml
finish
